import { describe, expect, it } from "vitest"
import { NOTHING, tail, withArrived, withNewer, withOlder, withRecalled } from "../src/store/window"
import type { Message } from "../src/wire/shapes"

function message(seq: number): Message {
  return { message_id: `m${seq}`, seq, sender_id: "s0002", client_id: `k${seq}`, content: { kind: "text", text: `${seq}` }, sent_at: seq }
}
function stretch(from: number, to: number, hasNewer = false): typeof NOTHING {
  const messages = Array.from({ length: to - from + 1 }, (_, at) => message(from + at))
  return { messages, hasOlder: from > 1, hasNewer }
}
const seqs = ({ messages }: typeof NOTHING): number[] => messages.map((m) => m.seq)

describe("a held stretch of messages", () => {
  it("takes what follows its end", () => {
    expect(seqs(withArrived(stretch(3, 5), message(6)))).toEqual([3, 4, 5, 6])
    expect(seqs(withArrived({ ...NOTHING, hasOlder: false }, message(1)))).toEqual([1])
  })

  it("never makes a hole: what does not follow is only noted", () => {
    const after = withArrived(stretch(3, 5), message(8))

    expect(seqs(after)).toEqual([3, 4, 5])
    expect(after.hasNewer).toBe(true)
  })

  it("replaces what it holds already", () => {
    expect(seqs(withArrived(stretch(3, 5), message(4)))).toEqual([3, 4, 5])
  })

  it("grows on both sides without doubling", () => {
    expect(seqs(withOlder(stretch(3, 4), [message(1), message(2), message(3)], false))).toEqual([1, 2, 3, 4])
    expect(seqs(withNewer(stretch(3, 4, true), [message(4), message(5)], false))).toEqual([3, 4, 5])
  })

  it("empties a recalled message and keeps its place", () => {
    const after = withRecalled(stretch(3, 5), 4, 77)

    expect(after.messages[1]).toMatchObject({ seq: 4, content: { kind: "recalled" }, recalled_at: 77 })
  })

  it("keeps only its end for the next visit, and nothing when it lacks the end", () => {
    expect(seqs(tail(stretch(1, 9), 3) ?? NOTHING)).toEqual([7, 8, 9])
    expect(tail(stretch(1, 9, true), 3)).toBeNull()
  })
})
