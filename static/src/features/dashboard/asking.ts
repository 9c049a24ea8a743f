/* Asking for sums over days. A server that is busy, or that was asked too often, says when to come
   again, and is asked again then. Days that are over are asked for once and held while the screen is
   open: what was counted then is, but for late corrections, what is counted now. */
import { onForget } from "../../store/forgetting"
import { command } from "../../wire/connection"
import { asRefusal } from "../../wire/refusal"
import type { RangeFields, RangeFigures } from "./shapes"

const MOST_TRIES = 4
const held = new Map<string, Promise<RangeFigures>>()

export async function ask(fields: RangeFields): Promise<RangeFigures> {
  for (let tries = 1; ; tries++) {
    try {
      return await command("dashboard.range", fields)
    } catch (error) {
      const { retryAfterMs } = asRefusal(error)
      if (!retryAfterMs || tries === MOST_TRIES) throw error
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs))
    }
  }
}

export function askPast(fields: RangeFields): Promise<RangeFigures> {
  const key = JSON.stringify(fields)
  const known = held.get(key)
  if (known) return known
  const asked = ask(fields)
  held.set(key, asked)
  asked.catch(() => held.delete(key))
  return asked
}

export function forgetPast(): void {
  held.clear()
}
onForget(forgetPast)
