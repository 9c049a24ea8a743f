import { describe, expect, it } from "vitest"
import { linesOf } from "../src/store/system_lines"
import type { Conversation } from "../src/wire/shapes"

const before = { title: "产科", owner_id: "a" } as Conversation
const unchanged = { added: [], removed: [], owner_id: "a", title: "产科", by: "a", at: 1, position: 7 }

describe("lines of a group", () => {
  it("tell who was brought in, not that the maker came with them", () => {
    expect(linesOf({ ...unchanged, added: ["a", "b"] }, undefined)).toMatchObject([{ kind: "added", people: ["b"] }])
  })

  it("tell leaving from being taken out", () => {
    expect(linesOf({ ...unchanged, removed: ["b"], by: "b" }, before)).toMatchObject([{ kind: "left" }])
    expect(linesOf({ ...unchanged, removed: ["b"] }, before)).toMatchObject([{ kind: "removed" }])
  })

  it("tell a new name and a new owner only when they are new", () => {
    expect(linesOf(unchanged, before)).toEqual([])
    expect(linesOf({ ...unchanged, title: "产房", owner_id: "b" }, before).map((l) => l.kind)).toEqual(["renamed", "owner"])
  })
})
