import { describe, expect, it } from "vitest"
import { afterRefusal, awakened, due, hurried, isStuck, pause, type Entry } from "../src/store/outbox_queue"
import { Refusal } from "../src/wire/refusal"

function entry(client_id: string, change: Partial<Entry> = {}): Entry {
  const content = { kind: "text" as const, text: client_id }
  return { client_id, conversation_id: "c1", content, created_at: 0, state: "waiting", tries: 0, not_before: 0, ...change }
}
const ids = (entries: Entry[]): string[] => entries.map((e) => e.client_id)

describe("outbox queue", () => {
  it("sends one message per conversation at a time, in the order written", () => {
    const entries = [entry("a"), entry("b"), entry("x", { conversation_id: "c2" })]

    expect(ids(due(entries, 0))).toEqual(["a", "x"])
    expect(ids(due([entry("a", { state: "sending" }), entry("b")], 0))).toEqual([])
  })

  it("does not let a failed message hold up the next", () => {
    expect(ids(due([entry("a", { state: "failed" }), entry("b")], 0))).toEqual(["b"])
  })

  it("keeps the order while an earlier one waits to be tried again", () => {
    expect(ids(due([entry("a", { not_before: 500 }), entry("b")], 0))).toEqual([])
    expect(pause([entry("a", { not_before: 500 })], 100)).toBe(400)
  })

  it("tries again with the same client id when nothing was decided", () => {
    const after = afterRefusal(entry("a"), new Refusal("timeout"), 1_000, 0.5)

    expect(after).toMatchObject({ client_id: "a", state: "waiting", tries: 1, not_before: 2_000 })
  })

  it("waits as long as the server asks", () => {
    const after = afterRefusal(entry("a"), new Refusal("rate_limited", "", 9_000), 1_000, 0)

    expect(after.not_before).toBe(10_000)
    expect(hurried(after).not_before).toBe(10_000)
  })

  it("gives up on what the server decided against, and says why", () => {
    const after = afterRefusal(entry("a"), new Refusal("not_found"), 0, 0)

    expect(after).toMatchObject({ state: "failed", code: "not_found" })
  })

  it("takes up after a reload what was under way", () => {
    expect(awakened(entry("a", { state: "sending" })).state).toBe("waiting")
    expect(awakened(entry("a", { state: "failed" })).state).toBe("failed")
  })

  it("calls a message stuck when it failed or waits for long", () => {
    expect(isStuck(entry("a"), 1_000)).toBe(false)
    expect(isStuck(entry("a"), 60_000)).toBe(true)
    expect(isStuck(entry("a", { state: "failed" }), 0)).toBe(true)
  })
})
