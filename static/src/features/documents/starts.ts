/* What became of documents that were sent from here. A start is asked for once: its id stays the same until
   it is known that nothing came of it, and it never goes out by itself. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { newClientId } from "../../store/client_id"
import { onForget } from "../../store/forgetting"
import { drop, keep, read } from "../../store/kept"
import { say } from "../../shell/overlays"
import { command, stream } from "../../wire/connection"
import { asRefusal } from "../../wire/refusal"
import type { Result } from "../../wire/shapes"
import { useStartDrafts, type Draft } from "./drafts"
import { w } from "./words"

export type Start = Result<"documents.start">["start"]
/** `unsure`: the page does not know whether the server has it; it looks when the line is back. */
export type Try = { state: "asking" | "unsure"; client_id: string } | { state: "told"; start: Start }

const PATIENCE_MS = 3_000

export function isOpen(one: Try | undefined): boolean {
  if (!one) return false
  return one.state !== "told" || one.start.state === "asked" || (one.start.state === "unknown" && !one.start.may_repeat)
}

export const useStarts = defineStore("starts", () => {
  const byWorkflow = shallowReactive(new Map<string, Try>())
  /** Those that have been on their way for a while. */
  const slow = shallowReactive(new Set<string>())
  /** Ids made up and not known to have come to anything: the next try is the same one. */
  const ids = new Map<string, string>()
  /** Forms that are on the screen, which say themselves what became of them. */
  const watched = new Set<string>()
  const seen = new Set<string>()

  async function idOf(workflowId: string): Promise<string> {
    const known = ids.get(workflowId) ?? (await read<string>("state", drawer(workflowId)))
    const id = known ?? newClientId()
    ids.set(workflowId, id)
    await keep("state", drawer(workflowId), id)
    return id
  }

  function forgetId(workflowId: string): void {
    ids.delete(workflowId)
    void drop("state", drawer(workflowId))
  }

  async function start(workflowId: string, draft: Draft): Promise<void> {
    const client_id = await idOf(workflowId)
    byWorkflow.set(workflowId, { state: "asking", client_id })
    useStartDrafts().hold(workflowId)
    const patience = setTimeout(() => slow.add(workflowId), PATIENCE_MS)
    try {
      const { start: card } = await command("documents.start", { workflow_id: workflowId, client_id, draft })
      useStartDrafts().handedOver(workflowId, card.asked_at)
      told(card)
    } catch (error) {
      const { code } = asRefusal(error)
      if (["offline", "timeout", "internal", "unavailable"].includes(code)) byWorkflow.set(workflowId, { state: "unsure", client_id })
      else byWorkflow.delete(workflowId)
      if (!isOpen(byWorkflow.get(workflowId))) throw error
    } finally {
      clearTimeout(patience)
      const now = byWorkflow.get(workflowId)
      if (!isOpen(now) || (now?.state === "told" && now.start.state === "unknown")) slow.delete(workflowId)
      else slow.add(workflowId)
    }
  }

  function told(card: Start): void {
    const before = byWorkflow.get(card.workflow_id)
    const mine = before && (before.state === "told" ? before.start.client_id : before.client_id)
    if (mine && mine !== card.client_id && before.state === "told" && before.start.asked_at > card.asked_at) return
    byWorkflow.set(card.workflow_id, { state: "told", start: card })
    if (card.state !== "asked") slow.delete(card.workflow_id)
    if (card.state === "done" || card.state === "refused" || card.may_repeat) forgetId(card.workflow_id)
    if (card.state === "done") useStartDrafts().take(card.workflow_id, null)
    if (before && !watched.has(card.workflow_id)) announce(card)
  }

  /** To somebody who has left the form. */
  function announce(card: Start): void {
    if (card.state === "done") say(w("start.done_elsewhere", { title: card.title }))
    else if (card.state === "refused") say(w("start.refused_elsewhere", { title: card.title }), true)
  }

  /** What the server says when the form is opened: whether it has the try that this page is unsure of. An end
      that was seen is not shown again, nor one of another device that left nothing to do. */
  async function learnt(workflowId: string, card: Start | null): Promise<void> {
    const before = byWorkflow.get(workflowId)
    const mine = ids.get(workflowId) ?? (await read<string>("state", drawer(workflowId)))
    if (before?.state === "unsure" && card?.client_id !== before.client_id) byWorkflow.delete(workflowId)
    if (!card || seen.has(card.client_id)) return
    if (card.state !== "done" || before || card.client_id === mine) told(card)
  }

  /** Put away what was told, to begin anew. */
  function putAway(workflowId: string): void {
    const now = byWorkflow.get(workflowId)
    if (now?.state === "told") seen.add(now.start.client_id)
    byWorkflow.delete(workflowId)
  }

  stream.on("documents.started", ({ start: card }) => {
    if (byWorkflow.has(card.workflow_id)) told(card)
  })

  onForget(() => {
    byWorkflow.clear()
    slow.clear()
    ids.clear()
    seen.clear()
  })

  return { byWorkflow, slow, watched, start, learnt, putAway }
})

function drawer(workflowId: string): string {
  return `start id ${workflowId}`
}
