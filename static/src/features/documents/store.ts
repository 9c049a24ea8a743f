/* Documents opened here: how each stood when the OA last told, kept on this device too, and what became
   of what I did with them. An act is sent once. When its answer is lost it is asked after, never repeated. */
import { defineStore } from "pinia"
import { ref, shallowReactive } from "vue"
import { say } from "../../shell/overlays"
import { newClientId } from "../../store/client_id"
import { useDrafts } from "../../store/drafts"
import { onForget } from "../../store/forgetting"
import { drop, keep, read } from "../../store/kept"
import { serverNow } from "../../wire/clock"
import { command } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import { isOlder, phaseOf, type Phase } from "./acting"
import { dropFilled } from "./filled"
import type { Act, MyAct, Opened, Said } from "./shapes"
import { w } from "./document_words"

const INDEX = "documents"
const MOST_KEPT = 30
const keyOf = (requestId: string): string => `document ${requestId}`
/** Where the words meant for a document wait. */
export const draftKey = keyOf

export const useDocuments = defineStore("documents", () => {
  const drafts = useDrafts()
  const opened = shallowReactive(new Map<string, Opened>())
  const acts = shallowReactive(new Map<string, MyAct>())
  /** The document on the screen, whose news the page itself tells. */
  const shown = ref("")

  async function recollect(requestId: string): Promise<void> {
    const kept = opened.has(requestId) ? undefined : await read<Opened>("state", keyOf(requestId))
    if (kept && !opened.has(requestId)) opened.set(requestId, kept)
  }

  async function remember(card: Opened): Promise<void> {
    const ids = (await read<string[]>("state", INDEX)) ?? []
    const all = [card.request_id, ...ids.filter((id) => id !== card.request_id)]
    await Promise.all(all.slice(MOST_KEPT).flatMap((id) => [drop("state", keyOf(id)), dropFilled(id)]))
    await keep("state", INDEX, all.slice(0, MOST_KEPT))
    await keep("state", keyOf(card.request_id), card)
  }

  async function open(requestId: string): Promise<Opened> {
    const wasDone = acts.get(requestId)?.state === "done"
    const card = await command("documents.open", { request_id: requestId })
    opened.set(requestId, card)
    adopt(card, wasDone)
    void remember(card)
    return card
  }

  /** What the server knows of my last act is truer than what this page believed. */
  function adopt({ request_id, title, last_act }: Opened, isSeen: boolean): void {
    const mine = acts.get(request_id)
    if (last_act && last_act.client_id === mine?.client_id) note(request_id, title, last_act, isSeen)
    else if (last_act && (!mine || last_act.asked_at > mine.asked_at)) acts.set(request_id, { ...last_act, title, isNews: false, isSeen: true, isLost: false })
    else if (mine?.isLost) acts.set(request_id, { ...mine, state: "refused", reason: "not_sent", isLost: false })
  }

  function note(requestId: string, title: string, act: Act, isSeen = false): void {
    const before = acts.get(requestId)
    const same = before?.client_id === act.client_id ? before : undefined
    if (same && isOlder(act, same)) return
    acts.set(requestId, { ...act, title, isNews: before?.isNews ?? true, isSeen, isLost: false })
    // Once: what is typed afterwards is meant for something else.
    if (act.state !== "done" || same?.state === "done") return
    drafts.write(draftKey(requestId), "")
    if (act.action !== "forward") void dropFilled(requestId)
  }

  /** Asks the OA, once. A refusal is thrown; with an answer that did not come, nobody knows. */
  async function act(said: Omit<Said, "client_id">, title: string): Promise<MyAct | undefined> {
    const { request_id, action, opinion = "" } = said
    const client_id = newClientId()
    const asked: MyAct = { client_id, action, state: "asked", asked_at: serverNow(), opinion, reason: "", may_repeat: false, title, isNews: true, isSeen: false, isLost: false }
    acts.set(request_id, asked)
    try {
      const answer = await command("documents.act", { ...said, client_id })
      note(request_id, title, answer.act)
    } catch (error) {
      // The end may have been told before an answer that was lost.
      if (acts.get(request_id)?.state === "asked") lost(asked, request_id, asRefusal(error))
    }
    return acts.get(request_id)
  }

  function lost(asked: MyAct, requestId: string, refusal: Refusal): void {
    if (["timeout", "offline", "unavailable"].includes(refusal.code)) {
      acts.set(requestId, { ...asked, state: "unknown", isLost: true })
      return
    }
    acts.delete(requestId)
    throw refusal
  }

  /** The end of something I did, here or on another device. */
  function ended(requestId: string, title: string, act: Act): void {
    const before = acts.get(requestId)
    const isNews = before?.client_id !== act.client_id || before.state !== act.state
    if (isNews) acts.delete(requestId)
    note(requestId, title, act)
    if (isNews && shown.value !== requestId) say(w(`told.${told(act)}`, { title: title || w("title") }), act.state !== "done")
  }

  function told(act: Act): "approved" | "rejected" | "forwarded" | "moved" | "refused" | "unknown" {
    if (act.state !== "done") return act.state === "asked" ? "unknown" : act.state
    return act.action === "reject" ? "rejected" : act.action === "forward" ? "forwarded" : "approved"
  }

  function phase(requestId: string): Phase {
    return phaseOf(opened.get(requestId) ?? null, acts.get(requestId))
  }

  /** Puts away what was said about my last act. */
  function dismiss(requestId: string): void {
    const act = acts.get(requestId)
    if (act && phaseOf(null, act) === "open") acts.delete(requestId)
  }

  onForget(() => {
    opened.clear()
    acts.clear()
    shown.value = ""
  })

  return { opened, acts, shown, recollect, open, act, ended, phase, dismiss }
})
