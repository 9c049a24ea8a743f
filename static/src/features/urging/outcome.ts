/* What became of a reminder, in a line. */
import type { Result } from "../../wire/shapes"
import { w } from "./words"

export type UrgeState = Result<"documents.urge">["holders"][number]["state"]

export function outcome(state: UrgeState, values: { name: string; time: string }): string {
  return w(`is.${state}`, values)
}
