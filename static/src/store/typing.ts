/* Who is writing just now. Told once, believed for a few seconds. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { command, isLive, stream } from "../wire/connection"
import { useSession } from "./session"

const BELIEVED_MS = 5_000
const TOLD_EVERY_MS = 3_000

export const useTyping = defineStore("typing", () => {
  const session = useSession()
  const byConversation = shallowReactive(new Map<string, string>())
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  let toldAt = 0

  function clear(id: string): void {
    clearTimeout(timers.get(id))
    byConversation.delete(id)
  }

  function tell(id: string): void {
    if (!isLive.value || Date.now() - toldAt < TOLD_EVERY_MS) return
    toldAt = Date.now()
    command("chat.typing", { conversation_id: id }).catch(() => undefined)
  }

  stream.on("chat.typed", ({ conversation_id, person_id }) => {
    if (person_id === session.myId) return
    byConversation.set(conversation_id, person_id)
    clearTimeout(timers.get(conversation_id))
    timers.set(conversation_id, setTimeout(() => clear(conversation_id), BELIEVED_MS))
  })
  stream.on("chat.sent", ({ conversation_id }) => clear(conversation_id))

  return { byConversation, tell }
})
