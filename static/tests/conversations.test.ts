import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { useConversations } from "../src/store/conversations"
import { useSession } from "../src/store/session"
import { stream } from "../src/wire/connection"
import type { Conversation, Message } from "../src/wire/shapes"

/* One group as the server has it, asked for over HTTP because nothing is connected here. */
let stored: Conversation
let meanwhile = (): void => undefined
let asked = 0
let position = 0

function message(seq: number, mentions: string[] = []): Message {
  return { message_id: `m${seq}`, seq, sender_id: "s0002", client_id: `k${seq}`, content: { kind: "text", text: "好", mentions }, sent_at: seq }
}

function told(name: "chat.sent" | "chat.recalled" | "chat.left", fields: object): void {
  stream.receive(name, { conversation_id: "c1", ...fields, channel: "conversation:c1", position: ++position } as never)
}

setActivePinia(createPinia())
const conversations = useConversations()
useSession().me = { person: { person_id: "s0001" } } as never

beforeEach(() => {
  stream.forget()
  conversations.forget()
  stored = {
    conversation_id: "c1", kind: "group", title: "产科", last_seq: 5, read_seq: 5, unread: 0, last_message: message(5),
    muted: false, pinned: false, mentioned: false, member_count: 3, owner_id: "s0002", person_id: null,
  }
  ;[meanwhile, asked, position] = [() => undefined, 0, 0]
  conversations.put(stored)
  vi.stubGlobal("fetch", async () => {
    asked++
    const answer = JSON.stringify({ ok: true, result: { conversation: stored, members: [], conversations: [stored] } })
    meanwhile()
    return new Response(answer)
  })
})
afterEach(() => vi.unstubAllGlobals())

it("a mention that was recalled is asked about: only the server knows of others before it", async () => {
  told("chat.sent", { message: message(6, ["s0001"]) })
  told("chat.sent", { message: message(7) })
  expect(conversations.byId.get("c1")?.mentioned).toBe(true)

  stored = { ...stored, last_seq: 7, unread: 2, last_message: message(7) }
  told("chat.recalled", { message_id: "m6", seq: 6, by: "s0002", recalled_at: 9 })

  await vi.waitFor(() => expect(conversations.byId.get("c1")?.mentioned).toBe(false))
  expect(conversations.byId.get("c1")?.unread).toBe(2)
})

it("a recall is no question where nobody was mentioned, or where it was read", () => {
  told("chat.sent", { message: message(6) })
  told("chat.recalled", { message_id: "m6", seq: 6, by: "s0002", recalled_at: 9 })
  told("chat.sent", { message: message(7, ["s0001"]) })
  told("chat.recalled", { message_id: "m5", seq: 5, by: "s0002", recalled_at: 9 })

  expect(asked).toBe(0)
  expect(conversations.byId.get("c1")?.mentioned).toBe(true)
})

it("what is told while an answer is on its way is newer than the answer", async () => {
  meanwhile = () => told("chat.sent", { message: message(6, ["s0001"]) })
  await conversations.refresh("c1")
  expect(conversations.byId.get("c1")).toMatchObject({ last_seq: 6, unread: 1, mentioned: true, last_message: { seq: 6 } })

  meanwhile = () => told("chat.sent", { message: message(7) })
  stored = { ...stored, last_seq: 6, unread: 1, mentioned: true }
  await conversations.load()
  expect(conversations.byId.get("c1")).toMatchObject({ last_seq: 7, unread: 2, mentioned: true })
})

it("who is put out while an answer is on its way is out", async () => {
  meanwhile = () => told("chat.left", { at: 9 })
  await conversations.refresh("c1")
  expect(conversations.byId.has("c1")).toBe(false)

  conversations.put(stored)
  await conversations.load()
  expect(conversations.byId.has("c1")).toBe(false)

  meanwhile = () => undefined
  await conversations.load()
  expect(conversations.byId.has("c1")).toBe(true)
})

it("a list that is read afresh is believed where nothing was told meanwhile", async () => {
  told("chat.sent", { message: message(6) })
  await conversations.load()
  expect(conversations.byId.get("c1")).toMatchObject({ last_seq: 5, unread: 0 })
})
