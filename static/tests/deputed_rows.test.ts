import { describe, expect, it } from "vitest"
import { dayAfter, keyOf, merged, type Row } from "../src/features/deputies/rows"

const row = (id: string, received_at: number | null, for_person?: string): Row => ({
  item_id: id,
  request_id: id,
  title: id,
  creator_name: "",
  received_at,
  urgency: "normal",
  node: "",
  source: "OA",
  is_new: false,
  kind: "",
  creator_id: null,
  department: "",
  may_approve: false,
  urged_by: "",
  urged_at: null,
  urged_words: "",
  ...(for_person ? { for_person } : {}),
})
const ids = (rows: Row[]): string[] => rows.map(keyOf)

describe("others' documents among one's own", () => {
  it("stand where their time puts them", () => {
    const rows = merged([row("a", 40), row("b", 20)], [row("x", 30, "ann"), row("y", 10, "ann")], true)
    expect(ids(rows)).toEqual(["a", "ann x", "b", "ann y"])
  })

  it("wait while older ones of one's own may be to come", () => {
    const rows = merged([row("a", 40), row("b", 20)], [row("x", 30, "ann"), row("y", 10, "ann")], false)
    expect(ids(rows)).toEqual(["a", "ann x", "b"])
  })

  it("are all there where there is none of one's own", () => {
    expect(ids(merged([], [row("x", 30, "ann"), row("y", null, "ann")], false))).toEqual(["ann x", "ann y"])
  })

  it("keep apart the same document of two people", () => {
    expect(ids(merged([row("x", 30)], [row("x", 30, "ann")], true))).toEqual(["x", "ann x"])
  })
})

describe("days", () => {
  it("go over the end of a month and of a year", () => {
    expect(dayAfter("2026-02-28", 1)).toBe("2026-03-01")
    expect(dayAfter("2026-12-31", 90)).toBe("2027-03-31")
  })
})
