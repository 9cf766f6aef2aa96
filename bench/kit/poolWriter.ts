// A process of its own that writes events at a rate until it is killed: poolWriter.ts URL EVENTS_PER_SECOND
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '../kit.ts'

const statementsPerSecond = 5
const [url, rate] = process.argv.slice(2)
const client = await connect(url!)
const rows = Math.round(Number(rate) / statementsPerSecond)
const start = performance.now()
process.stdout.write('writing\n')
for (let i = 0; ; i++) {
  await client.query('call bench_pool.write($1::int, now())', [rows])
  const due = start + ((i + 1) * 1000) / statementsPerSecond
  if (due > performance.now()) await delay(due - performance.now())
}
