/* Messages written here and not yet acknowledged. Each is kept on the device before it is sent
   and leaves only when the server has it; how they queue is decided in outbox_queue.ts. */
import { defineStore } from "pinia"
import { shallowRef } from "vue"
import { noteServerTime, serverNow } from "../wire/clock"
import { command, onLive, stream } from "../wire/connection"
import { asRefusal } from "../wire/refusal"
import type { Message, TextContent } from "../wire/shapes"
import { newClientId } from "./client_id"
import { useConversations } from "./conversations"
import { drop, keep, readAll } from "./kept"
import { useMessages } from "./messages"
import { afterRefusal, awakened, due, hurried, pause, type Entry } from "./outbox_queue"
import { useSession } from "./session"
import { afterSent } from "./unread"

export const useOutbox = defineStore("outbox", () => {
  const session = useSession()
  const conversations = useConversations()
  const messages = useMessages()
  const entries = shallowRef<Entry[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let lives = 0

  function change(clientId: string, step: (entry: Entry) => Entry): void {
    entries.value = entries.value.map((e) => (e.client_id === clientId ? step(e) : e))
  }

  async function restore(): Promise<void> {
    const kept = (await readAll<Entry>("outbox")).map(([, entry]) => awakened(entry))
    const known = new Set(entries.value.map((entry) => entry.client_id))
    entries.value = [...entries.value, ...kept.filter((e) => !known.has(e.client_id))].sort(
      (a, b) => a.created_at - b.created_at,
    )
    pump()
  }

  async function send(conversation_id: string, content: TextContent): Promise<void> {
    const entry: Entry = {
      client_id: newClientId(),
      conversation_id,
      content,
      created_at: serverNow(),
      state: "waiting",
      tries: 0,
      not_before: 0,
    }
    entries.value = [...entries.value, entry]
    await keep("outbox", entry.client_id, entry)
    pump()
  }

  function pump(): void {
    clearTimeout(timer)
    if (!session.isSignedIn || session.needsSignIn) return
    const now = Date.now()
    for (const entry of due(entries.value, now)) void attempt(entry)
    const wait = pause(entries.value, now)
    if (wait !== null && wait > 0) timer = setTimeout(pump, wait)
  }

  async function attempt(entry: Entry): Promise<void> {
    const { client_id, conversation_id, content } = entry
    const begunIn = lives
    change(client_id, (e) => ({ ...e, state: "sending" }))
    try {
      const { message_id, seq, sent_at } = await command("chat.send", {
        conversation_id,
        client_id,
        content,
      })
      noteServerTime(sent_at)
      const sender_id = session.myId
      settled({ message_id, seq, sender_id, client_id, content, sent_at }, conversation_id)
    } catch (error) {
      const refusal = asRefusal(error)
      change(client_id, (e) => afterRefusal(e, refusal, Date.now(), Math.random()))
      // What failed on the line before this one says nothing about this one.
      if (lives !== begunIn) change(client_id, hurried)
      const failed = entries.value.find((e) => e.client_id === client_id)
      if (failed) void keep("outbox", client_id, failed)
    }
    pump()
  }

  function settled(message: Message, conversationId: string): void {
    if (!entries.value.some((e) => e.client_id === message.client_id)) return
    messages.arrived(conversationId, message)
    conversations.change(conversationId, (c) => afterSent(c, message, session.myId))
    remove(message.client_id)
  }

  function remove(clientId: string): void {
    entries.value = entries.value.filter((e) => e.client_id !== clientId)
    void drop("outbox", clientId)
  }

  function retry(clientId: string): void {
    change(clientId, (e) => ({ ...e, state: "waiting", not_before: 0, tries: 0, code: undefined }))
    pump()
  }

  function hurry(): void {
    entries.value = entries.value.map(hurried)
    pump()
  }

  stream.on("chat.sent", ({ conversation_id, message }) => {
    if (message.sender_id === session.myId) settled(message, conversation_id)
  })
  onLive(() => {
    lives++
    hurry()
  })

  function forget(): void {
    clearTimeout(timer)
    entries.value = []
  }

  return { entries, restore, send, retry, remove, hurry, pump, forget }
})
