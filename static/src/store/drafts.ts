/* What somebody has begun to write and not sent, per conversation; survives everything but sign-out. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { drop, keep, onLeaving, readAll } from "./kept"

const SETTLE_MS = 250

export const useDrafts = defineStore("drafts", () => {
  const byConversation = shallowReactive(new Map<string, string>())
  const timers = new Map<string, ReturnType<typeof setTimeout>>()

  async function restore(): Promise<void> {
    for (const [id, text] of await readAll<string>("drafts"))
      if (!byConversation.has(id)) byConversation.set(id, text)
  }

  function write(id: string, text: string): void {
    if (text.trim()) byConversation.set(id, text)
    else byConversation.delete(id)
    clearTimeout(timers.get(id))
    timers.set(id, setTimeout(() => settle(id), SETTLE_MS))
  }

  /** Keeps it now: before it is sent, so that a reload in between loses nothing. */
  function settle(id: string): void {
    clearTimeout(timers.get(id))
    timers.delete(id)
    const text = byConversation.get(id)
    void (text === undefined ? drop("drafts", id) : keep("drafts", id, text))
  }

  /* Whoever leaves in the middle of a word finds it again. */
  onLeaving(() => [...timers.keys()].forEach(settle))

  function forget(): void {
    timers.forEach((timer) => clearTimeout(timer))
    timers.clear()
    byConversation.clear()
  }

  return { byConversation, restore, write, settle, forget }
})
