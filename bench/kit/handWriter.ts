// A process of its own that writes events by hand, without Lookout, into the bare table, over two connections:
// handWriter.ts URL copy|insert SECONDS ROWS
import { once } from 'node:events'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { COPY_COLUMNS, makeEvents } from '../../load/events.ts'
import { connect } from '../kit.ts'

const connections = 2
const [url = '', how = '', seconds = '', rows = ''] = process.argv.slice(2)
const cpuBefore = process.cpuUsage()
const events = makeEvents('by hand')
const columns = COPY_COLUMNS.join(', ')
const endsMs = Date.now() + Number(seconds) * 1000
const startedMs = Date.now()
let accepted = 0

async function copy(client: pg.Client): Promise<void> {
  const stream = client.query(copyFrom(`copy bare_events (${columns}) from stdin`))
  stream.end(events.copy(Number(rows), Date.now(), 1))
  await once(stream, 'finish')
}

async function insert(client: pg.Client): Promise<void> {
  const lines = events.copy(Number(rows), Date.now(), 1).trimEnd().split('\n')
  const values = lines.flatMap((line) => line.split('\t').map((field) => (field === '\\N' ? null : field)))
  const places = lines.map(
    (_, row) => `(${COPY_COLUMNS.map((_, at) => `$${row * COPY_COLUMNS.length + at + 1}`).join()})`,
  )
  await client.query({ name: 'insert', text: `insert into bare_events (${columns}) values ${places.join()}`, values })
}

async function work(): Promise<void> {
  const client = await connect(url)
  while (Date.now() < endsMs) {
    await (how === 'copy' ? copy(client) : insert(client))
    accepted += Number(rows)
  }
  await client.end()
}

await Promise.all(Array.from({ length: connections }, work))
const { user, system } = process.cpuUsage(cpuBefore)
const told = { rows: { accepted }, seconds: (Date.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 }
process.stdout.write(JSON.stringify(told))
