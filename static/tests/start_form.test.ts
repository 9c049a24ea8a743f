import { describe, expect, it } from "vitest"
import { isTooLarge, newer, type Draft } from "../src/features/documents/drafts"
import { isFillable, isNeededElsewhere, problemOf, problemsIn, problemsInRows, rowsIn, type Field, type Table } from "../src/features/documents/form"

function field(over: Partial<Field>): Field {
  return { name: "f", label: "项", kind: "text", value: "", shown: "", may_edit: true, must_fill: false, options: [], attachments: [], ...over }
}

describe("what is wrong with a value", () => {
  it.each([
    [{}, "", null],
    [{ must_fill: true }, "  ", "missing"],
    [{ value: "x", shown: "x" }, "", "kept"],
    [{ kind: "number" }, "12.5", null],
    [{ kind: "number" }, "1,200", "number"],
    [{ kind: "money" }, "-0.01", null],
    [{ kind: "date" }, "2026-1-5", "date"],
    [{ kind: "time" }, "08:30", null],
    [{ kind: "time" }, "8.30", "time"],
    [{ kind: "choice", options: [{ value: "0", label: "甲" }] }, "0", null],
    [{ kind: "choice", options: [{ value: "0", label: "甲" }] }, "甲", "choice"],
    [{ must_fill: true, may_edit: false }, "", null],
    [{ must_fill: true, kind: "attachments" }, "", null],
    [{}, "字".repeat(4_001), "long"],
  ] as [Partial<Field>, string, string | null][])("%o %s is %s", (over, value, problem) => {
    expect(problemOf(field(over), value)).toBe(problem)
  })

  it("is looked for in fields as they are now", () => {
    const fields = [field({ name: "a", must_fill: true }), field({ name: "b", must_fill: true, value: "there" })]

    expect(Object.keys(problemsIn(fields, {}))).toEqual(["a"])
    expect(Object.keys(problemsIn(fields, { a: "typed", b: "" }))).toEqual(["b"])
  })

  it("is said of the row it stands in", () => {
    const table: Table = { title: "明细", columns: [field({ name: "a", must_fill: true })], rows: [] }

    expect(problemsInRows([table], [[{ a: "1" }, { a: "" }]]).map((rows) => rows.map((row) => Object.keys(row)))).toEqual([[[], ["a"]]])
  })
})

describe("what only the OA's own page can fill in", () => {
  it("is named when it is a must and nothing stands there", () => {
    expect(isNeededElsewhere(field({ kind: "attachments", must_fill: true }))).toBe(true)
    expect(isNeededElsewhere(field({ kind: "department", must_fill: true, may_edit: false }))).toBe(true)
    expect(isNeededElsewhere(field({ kind: "person", must_fill: true, may_edit: false, shown: "外聘专家" }))).toBe(false)
    expect(isNeededElsewhere(field({ kind: "attachments" }))).toBe(false)
    expect(isFillable(field({ kind: "other" }))).toBe(false)
  })
})

describe("rows", () => {
  it("are those that came until something changes", () => {
    const table: Table = { title: "明细", columns: [field({ name: "a" })], rows: [[field({ name: "a", value: "1" })]] }

    expect(rowsIn([], table, 0)).toEqual([{ a: "1" }])
    expect(rowsIn([null], table, 0)).toEqual([{ a: "1" }])
    expect(rowsIn([[]], table, 0)).toEqual([])
  })
})

function draft(over: Partial<Draft>): Draft {
  return { title: "", urgency: "normal", fields: {}, rows: [], ...over }
}

describe("drafts", () => {
  const here = { draft: draft({ title: "here" }), at: 20, isSent: false }
  const there = { draft: draft({ title: "there" }), draft_at: 10 }

  it("go on with what the server has not got", () => {
    expect(newer(here, there)?.draft.title).toBe("here")
    expect(newer({ ...here, isSent: true }, there)?.draft.title).toBe("there")
    expect(newer(undefined, there)?.at).toBe(10)
  })

  it("that were thrown away elsewhere are gone here", () => {
    expect(newer({ ...here, isSent: true }, { draft: null, draft_at: null })).toBeNull()
  })

  it("too large for one frame are known before they are sent", () => {
    expect(isTooLarge(draft({ title: "字", fields: { f: "字".repeat(4_000) } }))).toBe(false)
    expect(isTooLarge(draft({ rows: [Array.from({ length: 200 }, () => ({ f: "字".repeat(100) }))] }))).toBe(true)
  })
})
