/* Which message of the outbox goes next, and what a refusal means for it; the latter also for what other
   features have waiting. Pure.
   One message per conversation is under way at a time, so that they arrive as they were written;
   the client id never changes, so that asking again never sends twice. */
import type { Refusal } from "../wire/refusal"
import type { TextContent } from "../wire/shapes"

/** Anything written here and not yet acknowledged. */
export interface Waiting {
  client_id: string
  created_at: number
  state: "waiting" | "sending" | "failed"
  tries: number
  not_before: number
  code?: string
}
export interface Entry extends Waiting {
  conversation_id: string
  content: TextContent
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 15_000

/** Entries that may be sent now. */
export function due(entries: Entry[], now: number): Entry[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    if (entry.state === "failed" || seen.has(entry.conversation_id)) return false
    seen.add(entry.conversation_id)
    return entry.state === "waiting" && entry.not_before <= now
  })
}

/** How long until something may be due; null when nothing waits. */
export function pause(entries: Waiting[], now: number): number | null {
  const times = entries.filter((e) => e.state === "waiting").map((e) => e.not_before - now)
  return times.length ? Math.max(0, Math.min(...times)) : null
}

export function afterRefusal<E extends Waiting>(entry: E, refusal: Refusal, now: number, random: number): E {
  if (!refusal.isPassing && refusal.code !== "unauthenticated")
    return { ...entry, state: "failed", code: refusal.code }
  const backOff = Math.min(FIRST_PAUSE_MS * 2 ** entry.tries, LONGEST_PAUSE_MS) * (0.5 + random)
  const not_before = now + Math.max(refusal.retryAfterMs ?? 0, backOff)
  return { ...entry, state: "waiting", tries: entry.tries + 1, not_before, code: refusal.code }
}

/** The line is back, or the person asked for it: nothing needs to wait any longer. */
export function hurried<E extends Waiting>(entry: E): E {
  return entry.state === "waiting" && entry.code !== "rate_limited"
    ? { ...entry, not_before: 0, tries: 0 }
    : entry
}

export function awakened<E extends Waiting>(entry: E): E {
  return entry.state === "sending" ? { ...entry, state: "waiting", not_before: 0 } : entry
}

const WORTH_TELLING_MS = 10_000

/** Whether the list should say 未送达 about it. */
export function isStuck(entry: Waiting, now: number): boolean {
  return entry.state === "failed" || now - entry.created_at > WORTH_TELLING_MS
}
