/* A plain yes from the list. It waits five seconds on this page before anybody is told: until then it can
   be taken back, and whoever leaves the page has said nothing. */
import { onBeforeUnmount, onDeactivated, shallowReactive, watch } from "vue"
import { useRouter } from "vue-router"
import { refusalText } from "../../i18n"
import { say } from "../../shell/overlays"
import { isLive } from "../../wire/connection"
import { asRefusal } from "../../wire/refusal"
import type { Todo } from "../../wire/shapes"
import { useDocuments } from "../documents/store"
import { w } from "./words"

export const UNDO_MS = 5_000

export function useQuick() {
  const documents = useDocuments()
  const router = useRouter()
  const waiting = shallowReactive(new Map<string, Todo>())
  const timers = new Map<string, ReturnType<typeof setTimeout>>()

  function approve(item: Todo): void {
    if (waiting.has(item.request_id)) return
    waiting.set(item.request_id, item)
    timers.set(item.request_id, setTimeout(() => void send(item), UNDO_MS))
  }

  function undo(requestId: string): void {
    clearTimeout(timers.get(requestId))
    timers.delete(requestId)
    waiting.delete(requestId)
  }

  function undoAll(): void {
    for (const id of [...waiting.keys()]) undo(id)
  }

  async function send(item: Todo): Promise<void> {
    undo(item.request_id)
    try {
      const listed = { listed_title: item.title, listed_node: item.node }
      await documents.act({ request_id: item.request_id, action: "approve", ...listed }, item.title)
    } catch (error) {
      const { code } = asRefusal(error)
      // It wants more than a yes: words, fields, a second look.
      if (code === "conflict") void router.push(`/d/${item.request_id}`)
      say(code === "conflict" ? w("quick.more_wanted") : w("quick.failed", { title: item.title, reason: refusalText(code) }), true)
    }
  }

  function leave(): void {
    if (waiting.size) say(w("quick.left", { n: waiting.size }))
    undoAll()
  }

  const hidden = (): void => void (document.visibilityState === "hidden" && leave())
  document.addEventListener("visibilitychange", hidden)
  addEventListener("pagehide", leave)
  watch(isLive, (live) => !live && leave())
  onDeactivated(leave)
  onBeforeUnmount(() => {
    document.removeEventListener("visibilitychange", hidden)
    removeEventListener("pagehide", leave)
    leave()
  })

  return { waiting, approve, undo, undoAll }
}
