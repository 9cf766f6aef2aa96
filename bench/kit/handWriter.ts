// A process of its own that writes events by hand, without Lookout, into the bare table, over two connections:
// handWriter.ts URL copy|insert SECONDS ROWS
import type pg from 'pg'
import { makeEvents } from '../../load/events.ts'
import { connect } from '../kit.ts'
import { copyInto, EVENT_COLUMNS, fieldsOf, placesOf } from './rows.ts'

const connections = 2
const [url = '', how = '', seconds = '', rows = ''] = process.argv.slice(2)
const cpuBefore = process.cpuUsage()
const events = makeEvents('by hand')
const endsMs = Date.now() + Number(seconds) * 1000
const startedMs = Date.now()
let accepted = 0

const lines = () => events.copy(Number(rows), Date.now(), 1)

async function insert(client: pg.Client): Promise<void> {
  const text = `insert into bare_events (${EVENT_COLUMNS}) values ${placesOf(Number(rows))}`
  await client.query({ name: 'insert', text, values: fieldsOf(lines()).flat() })
}

async function work(): Promise<void> {
  const client = await connect(url)
  while (Date.now() < endsMs) {
    await (how === 'copy' ? copyInto(client, 'bare_events', lines()) : insert(client))
    accepted += Number(rows)
  }
  await client.end()
}

await Promise.all(Array.from({ length: connections }, work))
const { user, system } = process.cpuUsage(cpuBefore)
const told = { rows: { accepted }, seconds: (Date.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6 }
process.stdout.write(JSON.stringify(told))
