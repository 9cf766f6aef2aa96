// How far sessions came: each session's steps in the order it took them, held against the steps asked for.
import { LookoutError } from '../errors.ts'
import { isoDuration, SECOND_MS } from '../metrics/spans.ts'
import type { WindowLimits } from './limits.ts'
import { checkRawEvents } from './rawRows.ts'
import type { Reader } from './reader.ts'
import { alignUp } from './time.ts'
import type { FunnelStep } from './types.ts'

/** A step is one letter, a session the word of its steps; a funnel's first n steps are then `like '%a%b%c%'`. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const statement = `
  with word as (
    select string_agg(($4::text[])[array_position($3::text[], event_type)], '' order by created_at, sequence_number, id) as steps
    from public.events
    where created_at >= $1 and created_at < $2 and event_type = any($3) and coalesce(session_id, user_id) is not null
    group by coalesce(session_id, user_id)
  )
  select count(word.steps)::float8 as sessions
  from unnest($5::text[]) with ordinality as pattern (steps, step)
  left join word on word.steps like pattern.steps
  group by pattern.step
  order by pattern.step`

/** @throws LookoutError BAD_REQUEST for steps, or a window, beyond the limits. */
export async function readFunnel(
  steps: string[],
  windowMs: number,
  { reader, clock, limits }: { reader: Reader; clock: () => number; limits: WindowLimits },
): Promise<FunnelStep[]> {
  if (steps.length === 0 || steps.length > limits.funnelStepsMax) {
    throw new LookoutError(
      'BAD_REQUEST',
      `steps must name 1 to ${limits.funnelStepsMax} types of events; got ${steps.length}.`,
    )
  }
  if (!Number.isInteger(windowMs) || windowMs < SECOND_MS) {
    throw new LookoutError('BAD_REQUEST', `window must be PT1S or longer; got ${isoDuration(windowMs)}.`)
  }
  const types = [...new Set(steps)]
  const letters = types.map((_, index) => LETTERS[index]!)
  const patterns = steps.map(
    (_, index) =>
      `%${steps
        .slice(0, index + 1)
        .map((step) => letters[types.indexOf(step)])
        .join('%')}%`,
  )
  const to = alignUp(clock(), SECOND_MS)
  const range = { from: to - windowMs, to }
  const sessions = await reader.read(async (client) => {
    await checkRawEvents(client, range, {
      rowsMax: limits.funnelRowsMax,
      spans: 1,
      stepMs: SECOND_MS,
      what: 'A funnel',
    })
    const { rows } = await client.query<{ sessions: number }>(statement, [
      new Date(range.from),
      new Date(range.to),
      types,
      letters,
      patterns,
    ])
    return rows.map((row) => row.sessions)
  })
  const first = sessions[0] ?? 0
  return steps.map((step, index) => {
    const count = sessions[index] ?? 0
    return { step, sessions: count, share: first > 0 ? Number((count / first).toPrecision(10)) : null }
  })
}
