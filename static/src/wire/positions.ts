/* Where this page stands in each channel, and what to do with an event that arrives.
   A conversation or a board is a log: positions follow one another and a jump is a gap to be read again.
   A person and a dashboard are states: only the newest value counts, so its positions may jump. */

export type Verdict = "apply" | "drop" | "gap"

export interface Kept {
  epoch?: string
  positions: Record<string, number>
}

/** The same as on the server (`realtime/channel.py`). */
const STATES = ["person:", "dashboard:"]

export function isLog(channel: string): boolean {
  return !STATES.some((family) => channel.startsWith(family))
}

export function emptyPositions(): Kept {
  return { positions: {} }
}

/** Judges an event; an unknown channel starts wherever the event stands. */
export function judge(kept: Kept, channel: string, position: number | null): Verdict {
  if (position === null || position === undefined) return "apply"
  const known = kept.positions[channel]
  if (known === undefined) return "apply"
  if (position <= known) return "drop"
  return isLog(channel) && position > known + 1 ? "gap" : "apply"
}

export function advance(kept: Kept, channel: string, position: number | null): void {
  if (position === null || position === undefined) return
  const known = kept.positions[channel]
  if (known === undefined || position > known) kept.positions[channel] = position
}

interface Answer {
  epoch: string
  reload: boolean
  channels: Record<string, { position: number; complete: boolean }>
}

/** Takes over where the server says each channel stands; true when something is still missing.
    Of a channel answered in part the position is where that part ends, so that the rest is asked for. */
export function settle(kept: Kept, answer: Answer): boolean {
  if (answer.reload) kept.positions = {}
  kept.epoch = answer.epoch
  let incomplete = false
  for (const [channel, { position, complete }] of Object.entries(answer.channels)) {
    advance(kept, channel, position)
    if (!complete && !answer.reload) incomplete = true
  }
  return incomplete
}
