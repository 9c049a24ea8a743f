/* What somebody has begun to write and not sent, per conversation; survives everything but sign-out. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { drop, keep, readAll } from "./kept"

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
    timers.set(
      id,
      setTimeout(() => void (text.trim() ? keep("drafts", id, text) : drop("drafts", id)), SETTLE_MS),
    )
  }

  function forget(): void {
    timers.forEach((timer) => clearTimeout(timer))
    byConversation.clear()
  }

  return { byConversation, restore, write, forget }
})
