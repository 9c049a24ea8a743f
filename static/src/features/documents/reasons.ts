/* Why the OA did not do it, in words. The server sends words of a list, or begins a refusal with one. */
import type { Refusal } from "../../wire/refusal"
import type { Start } from "./starts"
import { w } from "./words"

const FAULTS = ["unreachable", "blocked", "not_understood", "refused_by_oa"] as const

/** What the OA did instead of answering; empty when it was not the OA. */
export function oaFault(failure: Refusal): string {
  const fault = FAULTS.find((one) => failure.message.startsWith(`${one}: `))
  return fault ? w(`oa.${fault}`) : ""
}

export function reasonOf(start: Start): string {
  return start.reason ? w(`reason.${start.reason}`) : w("reason.failed")
}
