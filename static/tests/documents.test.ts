import { describe, expect, it } from "vitest"
import { phaseOf, sorted, stateOf, told, wantsWords } from "../src/features/documents/acting"
import { amount, day, fileSize, span } from "../src/features/documents/figures"
import { filesOf } from "../src/features/documents/freshness"
import type { MyAct, Offer, Opened } from "../src/features/documents/shapes"
import { gone, withFaded } from "../src/features/todos/fading"
import { startOf } from "../src/features/todos/narrowed"
import type { Todo } from "../src/wire/shapes"

describe("amounts", () => {
  it.each([
    ["1284500.5", "1,284,500.50"],
    ["-1234", "-1,234.00"],
    ["1,234.567", "1,234.567"],
    ["999", "999.00"],
    ["壹万元整", "壹万元整"],
    ["", ""],
    ["12.", "12."],
  ])("of money: %s", (text, shown) => expect(amount(text, "money")).toBe(shown))

  it("of things keep their decimals", () => {
    const read = ["12000", "0.55", "1000.10", "-1234567.5", "999", "viel"].map((text) => amount(text, "number"))
    expect(read).toEqual(["12,000", "0.55", "1,000.10", "-1,234,567.5", "999", "viel"])
  })
})

describe("durations", () => {
  const MINUTE = 60_000
  it.each([
    [-5 * MINUTE, { unit: "moment", n: 0, rest: 0 }],
    [30_000, { unit: "moment", n: 0, rest: 0 }],
    [MINUTE, { unit: "minutes", n: 1, rest: 0 }],
    [59.9 * MINUTE, { unit: "minutes", n: 59, rest: 0 }],
    [90 * MINUTE, { unit: "hours", n: 1, rest: 30 }],
    [29 * 60 * MINUTE, { unit: "days", n: 1, rest: 5 }],
    [400 * 24 * 60 * MINUTE, { unit: "days", n: 400, rest: 0 }],
  ])("of %d ms", (ms, said) => expect(span(ms)).toEqual(said))
})

describe("dates and sizes", () => {
  it("name the weekday of a date that there is", () => {
    expect([day("2026-11-23", "zh"), day("2026-11-23", "en"), day("2026-02-30", "zh"), day("下周三", "zh")]).toEqual(["2026-11-23 周一", "2026-11-23 Mon", "2026-02-30", "下周三"])
  })

  it("are told in the unit that fits", () => {
    expect([fileSize(812), fileSize(24_064), fileSize(1_500), fileSize(3_456_789)]).toEqual(["812 B", "24 KB", "1.5 KB", "3.3 MB"])
  })
})

const act = (change: Partial<MyAct>): MyAct => ({ client_id: "c", action: "approve", state: "done", asked_at: 1, opinion: "", reason: "", may_repeat: false, title: "", isNews: true, isSeen: false, isLost: false, ...change })
const offers = (...actions: Offer["action"][]): Offer[] => actions.map((action) => ({ action, label: action }))

describe("what may be done", () => {
  it("is nothing while an act is on its way or unknown", () => {
    const opened = { actions: offers("approve") }
    expect(phaseOf(opened, act({ state: "asked" }))).toBe("sending")
    expect(phaseOf(opened, act({ state: "unknown" }))).toBe("unknown")
  })

  it("is everything offered once the OA was seen to know nothing of the act", () => {
    expect(phaseOf({ actions: offers("approve") }, act({ state: "unknown", may_repeat: true }))).toBe("open")
  })

  it("is done until the document was seen again, and open again when it came back", () => {
    expect(phaseOf({ actions: offers("approve") }, act({}))).toBe("done")
    expect(phaseOf({ actions: offers("approve") }, act({ isSeen: true }))).toBe("open")
    expect(phaseOf({ actions: [] }, act({ isSeen: true }))).toBe("done")
    expect(phaseOf({ actions: offers("forward") }, act({ isSeen: true }))).toBe("done")
    expect(phaseOf({ actions: offers("forward") }, act({ isSeen: true, isNews: false }))).toBe("open")
    expect(phaseOf({ actions: offers("forward") }, act({ isSeen: true, action: "forward" }))).toBe("open")
  })

  it("puts one yes and one no in front", () => {
    const { yes, no, others } = sorted(offers("forward", "approve_without_reply", "reject", "approve_wanting_reply"))
    expect([yes?.action, no?.action, others.map(({ action }) => action)]).toEqual(["approve_wanting_reply", "reject", ["forward", "approve_without_reply"]])
  })

  it("wants words with a no, and with a yes where the step demands them", () => {
    expect([wantsWords("reject", []), wantsWords("approve", []), wantsWords("approve", ["opinion"]), wantsWords("forward", ["opinion"])]).toEqual([true, false, true, false])
  })
})

describe("where a document stands", () => {
  const opened = { actions: [] as Offer[], status: "", node: "审批", last_act: null as Opened["last_act"] }

  it("is the OA's word, or mine, or that it goes on", () => {
    expect(stateOf({ ...opened, actions: offers("approve") })).toBe("waiting")
    expect(stateOf({ ...opened, node: "归档" })).toBe("archived")
    expect(stateOf({ ...opened, status: "已撤销" })).toBe("withdrawn")
    expect(stateOf({ ...opened, last_act: act({ action: "reject" }) })).toBe("rejected")
    expect(stateOf({ ...opened, last_act: act({ state: "moved" }) })).toBe("running")
    expect([told("退回"), told("批准"), told("审批超时")]).toEqual(["rejected", undefined, "overdue"])
  })
})

describe("files", () => {
  it("are each named once, wherever they hang", () => {
    const file = { id: "1", name: "合同.pdf", size: 1, url: "/x" }
    const holder = { attachments: [file] }
    expect(filesOf({ fields: [holder], tables: [{ rows: [[holder]] }], opinions: [holder] } as unknown as Opened)).toEqual([file])
  })
})

describe("rows that have left", () => {
  const row = (item_id: string, received_at: number): Todo => ({ item_id, received_at }) as Todo
  const before = [row("c", 30), row("b", 20), row("a", 10)]

  it("are those missing, not those that stand on a further page", () => {
    expect(gone(before, [row("d", 40), row("b", 20)], false).map(({ item }) => item.item_id)).toEqual(["c"])
    expect(gone(before, [row("b", 20)], true).map(({ item }) => item.item_id)).toEqual(["c", "a"])
  })

  it("stand where they stood until they are let go", () => {
    const faded = gone(before, [row("c", 30), row("a", 10)], true)
    expect(withFaded([row("c", 30), row("a", 10)], faded).map(({ item_id }) => item_id)).toEqual(["c", "b", "a"])
    expect(withFaded(before, faded)).toEqual(before)
  })
})

describe("since when", () => {
  it("counts whole days", () => {
    const noon = new Date(2026, 10, 23, 12).getTime()
    expect([startOf("any", noon), startOf("today", noon), startOf("week", noon)]).toEqual([null, new Date(2026, 10, 23).getTime(), new Date(2026, 10, 17).getTime()])
  })
})
