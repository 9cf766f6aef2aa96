// A free port for PostgreSQL: the one asked for, or last time's, or the first free one from 54321, so that connection strings keep working.
import { createServer } from 'node:net'
import { StartError } from '../startError.ts'
import { lastPort } from './postmaster.ts'

const host = '127.0.0.1'
const firstPort = 54321
const portsTried = 50

export async function choosePort(clusterDir: string, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (await isFree(wanted)) return wanted
    throw new StartError(`Port ${wanted} is in use: set LOOKOUT_PG_PORT to a free port for the embedded PostgreSQL.`)
  }
  for (const port of [lastPort(clusterDir), ...Array.from({ length: portsTried }, (_, i) => firstPort + i)]) {
    if (port !== undefined && (await isFree(port))) return port
  }
  throw new StartError(
    `Ports ${firstPort} to ${firstPort + portsTried - 1} are all in use: set LOOKOUT_PG_PORT to a free port.`,
  )
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
