import { describe, expect, it } from "vitest"
import { rowsOf, seqUpTo, type Told } from "../src/screens/chat/rows"
import type { Message } from "../src/wire/shapes"

const MINUTE = 60_000
function message(seq: number, sender_id: string, minute: number): Message {
  return { message_id: `m${seq}`, seq, sender_id, client_id: `k${seq}`, content: { kind: "text", text: "好" }, sent_at: minute * MINUTE }
}
function told(change: Partial<Told>): Told {
  return { messages: [], lines: [], entries: [], myId: "me", firstUnread: 0, hasOlder: false, hasNewer: false, ...change }
}
const kinds = (change: Partial<Told>): string[] => rowsOf(told(change)).map((row) => row.kind)

describe("rows of a chat", () => {
  it("puts a time where more than five minutes passed", () => {
    const messages = [message(1, "a", 0), message(2, "a", 4), message(3, "a", 10)]

    expect(kinds({ messages })).toEqual(["start", "time", "message", "message", "time", "message"])
  })

  it("groups what one person says in a row", () => {
    const rows = rowsOf(told({ messages: [message(1, "a", 0), message(2, "a", 1), message(3, "b", 1)] }))
    const runs = rows.flatMap((row) => (row.kind === "message" ? [[row.isFirst, row.isLast]] : []))

    expect(runs).toEqual([[true, false], [false, true], [true, true]])
  })

  it("divides read from unread once", () => {
    const messages = [message(1, "a", 0), message(2, "b", 0), message(3, "b", 0)]

    expect(kinds({ messages, firstUnread: 2 })).toEqual(["start", "time", "message", "divider", "message", "message"])
  })

  it("ends with what is not sent yet and keeps its key once it is", () => {
    const entry = { client_id: "k9", conversation_id: "c", content: { kind: "text" as const, text: "好" }, created_at: 0, state: "waiting" as const, tries: 0, not_before: 0 }
    const pending = rowsOf(told({ entries: [entry] })).pop()
    const arrived = rowsOf(told({ messages: [message(9, "me", 0)] })).pop()

    expect(pending?.kind).toBe("pending")
    expect(arrived?.key).toBe(pending?.key)
  })

  it("says what is missing before what is not sent yet", () => {
    const entry = { client_id: "k9", conversation_id: "c", content: { kind: "text" as const, text: "好" }, created_at: 0, state: "waiting" as const, tries: 0, not_before: 0 }
    const messages = [message(1, "me", 0)]

    expect(kinds({ messages, entries: [entry], hasNewer: true })).toEqual(["start", "time", "message", "newer", "pending"])
    expect(kinds({ messages, hasNewer: true })).toEqual(["start", "time", "message"])
  })

  it("shows lines of the group where they happened", () => {
    const line = { key: "1:added", at: 1 * MINUTE, kind: "added" as const, by: "a", people: ["b"], title: "" }

    expect(kinds({ messages: [message(1, "a", 0), message(2, "a", 2)], lines: [line] })).toEqual([
      "start", "time", "message", "system", "message",
    ])
  })

  it("knows the newest message down to a row", () => {
    const rows = rowsOf(told({ messages: [message(1, "a", 0), message(2, "a", 30)] }))

    expect(seqUpTo(rows, 3)).toBe(1)
    expect(seqUpTo(rows, 99)).toBe(2)
    expect(seqUpTo([], 5)).toBe(0)
  })
})
