/* How long to wait before connecting again. */

const FIRST_DELAY_MS = 1_000
/** Short, because a ward waits; spread wide, because thousands come back at once. */
const LONGEST_DELAY_MS = 3_000
/** Nobody is kept away longer than this, whatever was said. */
const LONGEST_TOLD_MS = 60_000

export function delayBefore(tries: number, random = Math.random()): number {
  return Math.min(FIRST_DELAY_MS * 1.7 ** tries, LONGEST_DELAY_MS) * (0.5 + random)
}

/** What a server said that went away: it spreads its clients out, so its word replaces our own wait,
    once. Undefined when it said nothing that makes sense. */
export function waitAsTold(retryAfterMs: unknown): number | undefined {
  if (typeof retryAfterMs !== "number" || !(retryAfterMs >= 0)) return undefined
  return Math.min(retryAfterMs, LONGEST_TOLD_MS)
}
