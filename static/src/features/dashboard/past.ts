/* Days that are over, asked for once and held while the screen is open: what was counted then is, but
   for late corrections, what is counted now. */
import { onForget } from "../../store/forgetting"
import { command } from "../../wire/connection"
import type { RangeFields, RangeFigures } from "./shapes"

const held = new Map<string, Promise<RangeFigures>>()

export function past(fields: RangeFields): Promise<RangeFigures> {
  const key = JSON.stringify(fields)
  const known = held.get(key)
  if (known) return known
  const asked = command("dashboard.range", fields)
  held.set(key, asked)
  asked.catch(() => held.delete(key))
  return asked
}

export function forgetPast(): void {
  held.clear()
}
onForget(forgetPast)
