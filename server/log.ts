// The log: lines for people at a terminal, JSON everywhere else; on standard error, so that standard output says only where things are.
import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'

const stderr = 2

export function makeLog(level: string, forPeople: boolean): Logger {
  if (!forPeople) return pino({ level }, pino.destination({ fd: stderr, sync: true }))
  const options = { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', singleLine: true, colorize: true }
  return pino({ level }, pretty({ ...options, destination: stderr, sync: true }))
}
