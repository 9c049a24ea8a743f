import { describe, expect, it } from "vitest"
import { afterRead, afterRecalled, afterSent, audibleUnread, badgeText, inListOrder } from "../src/store/unread"
import type { Conversation, Message } from "../src/wire/shapes"

const me = "s0001"
function conversation(change: Partial<Conversation> = {}): Conversation {
  return {
    conversation_id: "c1", kind: "group", title: "产科", last_seq: 5, read_seq: 5, unread: 0, last_message: null,
    muted: false, pinned: false, mentioned: false, member_count: 3, owner_id: me, person_id: null, ...change,
  }
}
function message(seq: number, sender_id: string, mentions?: string[]): Message {
  return { message_id: `m${seq}`, seq, sender_id, client_id: `k${seq}`, content: { kind: "text", text: "好", mentions }, sent_at: seq }
}

describe("unread", () => {
  it("is what lies between the last message and my read mark", () => {
    const after = afterSent(conversation(), message(6, "s0002"), me)

    expect(after).toMatchObject({ last_seq: 6, unread: 1, mentioned: false })
  })

  it("moves my own mark when I send", () => {
    expect(afterSent(conversation({ read_seq: 2, unread: 3 }), message(6, me), me)).toMatchObject({ read_seq: 6, unread: 0 })
  })

  it("is the same after an event is applied twice", () => {
    const once = afterSent(conversation(), message(6, "s0002"), me)

    expect(afterSent(once, message(6, "s0002"), me)).toEqual(once)
    expect(afterSent(once, message(4, "s0002"), me)).toBe(once)
  })

  it("remembers a mention until everything is read", () => {
    const mentioned = afterSent(conversation(), message(6, "s0002", ["all"]), me)

    expect(mentioned.mentioned).toBe(true)
    expect(afterRead(mentioned, 6)).toMatchObject({ mentioned: false, unread: 0 })
  })

  it("never moves a read mark back", () => {
    const before = conversation()

    expect(afterRead(before, 3)).toBe(before)
  })

  it("shows a recall in the list only of the last message", () => {
    const before = conversation({ last_message: message(5, "s0002") })

    expect(afterRecalled(before, 5, 99).last_message?.content).toEqual({ kind: "recalled" })
    expect(afterRecalled(before, 4, 99)).toBe(before)
  })

  it("counts unmuted chats only and stops at 99+", () => {
    expect(audibleUnread([conversation({ unread: 3 }), conversation({ unread: 9, muted: true })])).toBe(3)
    expect([badgeText(0), badgeText(99), badgeText(560)]).toEqual(["", "99", "99+"])
  })

  it("lists pinned first, then the newest", () => {
    const old = conversation({ conversation_id: "old", last_message: message(1, me) })
    const fresh = conversation({ conversation_id: "new", last_message: message(9, me) })
    const pinned = conversation({ conversation_id: "pin", pinned: true })

    expect(inListOrder([old, fresh, pinned]).map((c) => c.conversation_id)).toEqual(["pin", "new", "old"])
  })

  it("puts a conversation without messages where one came in", () => {
    const old = conversation({ conversation_id: "old", last_message: message(1, me) })
    const made = conversation({ conversation_id: "made", last_message: null })
    const forgotten = conversation({ conversation_id: "forgotten", last_message: null })
    const joined = new Map([["made", (old.last_message?.sent_at ?? 0) + 1]])

    expect(inListOrder([forgotten, old, made], joined).map((c) => c.conversation_id)).toEqual(["made", "old", "forgotten"])
  })
})
