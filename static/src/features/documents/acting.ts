/* What may be done with a document in which state, and what it still lacks. Pure. */
import type { Action, MyAct, Offer, Opened } from "./shapes"

export type Phase = "open" | "sending" | "unknown" | "done"

/** Where my last act leaves me: free to act, waiting for its end, or done. */
export function phaseOf(opened: Pick<Opened, "actions"> | null, act: MyAct | undefined): Phase {
  if (act?.state === "asked") return "sending"
  if (act?.state === "unknown" && !act.may_repeat) return "unknown"
  if (act?.state === "done" && (!act.isSeen || isOver(opened, act))) return "done"
  return "open"
}

/** Nothing is left for me to decide. What was done on an earlier day is no news any more. */
function isOver(opened: Pick<Opened, "actions"> | null, act: MyAct): boolean {
  const offered = opened?.actions ?? []
  if (act.action === "forward" || offered.some(({ action }) => action !== "forward")) return false
  return act.isNews || !offered.length
}

const APPROVALS: Action[] = ["approve", "approve_wanting_reply", "approve_without_reply"]
export const isApproval = (action: Action): boolean => APPROVALS.includes(action)

const ENDS: MyAct["state"][] = ["done", "moved", "refused"]

/** Whether an answer was on its way already when the end of the same act was told. */
export function isOlder(answer: Pick<MyAct, "state" | "asked_at">, known: Pick<MyAct, "state" | "asked_at" | "reason">): boolean {
  if (!ENDS.includes(known.state) || known.reason === "not_sent") return false
  return !ENDS.includes(answer.state) && answer.asked_at <= known.asked_at
}

/** The yes and the no of the bar, and what lies behind 更多. */
export function sorted(offers: Offer[]): { yes?: Offer; no?: Offer; others: Offer[] } {
  const by = (action: Action): Offer | undefined => offers.find((offer) => offer.action === action)
  const yes = APPROVALS.map(by).find(Boolean)
  const no = by("reject")
  return { yes, no, others: offers.filter((offer) => offer !== yes && offer !== no) }
}

/** A no without a reason helps nobody. */
export function wantsWords(action: Action, demands: Opened["demands"]): boolean {
  return action === "reject" || (isApproval(action) && demands.includes("opinion"))
}

export type StateWord = "waiting" | "approved" | "rejected" | "forwarded" | "withdrawn" | "overdue" | "archived" | "running"

/* The OA's own words for where a document stands, by what they contain. */
const TOLD: [StateWord, RegExp][] = [
  ["withdrawn", /撤销|撤回|作废|withdrawn|cancel/i],
  ["overdue", /超时|逾期|overdue|timeout/i],
  ["rejected", /退回|驳回|拒绝|reject/i],
  ["forwarded", /转办|转交|transfer/i],
  ["archived", /归档|办结|结束|archived|closed/i],
  ["approved", /已同意|已批准|通过|approved/i],
]

/** The one word for where a document stands, for me first. */
export function stateOf(opened: Pick<Opened, "actions" | "status" | "node"> & { last_act: Pick<MyAct, "state" | "action"> | null }): StateWord {
  if (opened.actions.some(({ action }) => action !== "forward")) return told(opened.status, ["overdue"]) ?? "waiting"
  const word = told(`${opened.status} ${opened.node}`)
  if (word) return word
  const mine = opened.last_act
  if (mine?.state !== "done") return "running"
  return mine.action === "reject" ? "rejected" : mine.action === "forward" ? "forwarded" : "approved"
}

export function told(text: string, only?: StateWord[]): StateWord | undefined {
  return TOLD.find(([word, said]) => said.test(text) && (!only || only.includes(word)))?.[0]
}
