import { describe, expect, it } from "vitest"
import { boxOf, changed, continued, replayed, supposed, threads, type Box, type MailChange, type MailRow } from "../src/features/mail/box"
import { BLANK, draftOf, forwarded, isBlank, letterOf, marked, reach, replyTo, type Opened, type Shown } from "../src/features/mail/letter"

function row(id: string, change: Partial<MailRow> = {}): MailRow {
  const to = { count: 1, person_ids: ["me"] }
  const base = { mail_id: id, thread_id: id, box: "in" as const, order: id, sender_id: "ann", to, subject: id, excerpt: "", sent_at: 0 }
  return { ...base, is_read: false, recalled_at: null, thread_count: 1, ...change }
}
function box(rows: MailRow[], change: Partial<Box> = {}): Box {
  return { revision: 5, rows, before: null, ...change }
}
function told(change: Partial<MailChange>): MailChange {
  const nothing = { unread: 0, thread_id: "", thread_count: 1, row: null, read: [], unread_again: [], gone: [] }
  return { ...nothing, revision: 6, channel: "person:me", position: 1, ...change }
}
const ids = (from: Box | null): string[] | undefined => from?.rows.map((r) => r.mail_id)

describe("a box of mail", () => {
  it("takes a new row in at its place", () => {
    const held = box([row("9"), row("3")])

    expect(ids(changed(held, "inbox", told({ row: row("5"), thread_id: "5" })))).toEqual(["9", "5", "3"])
    expect(ids(changed(held, "inbox", told({ row: row("10x", { order: "99" }) })))).toEqual(["10x", "9", "3"])
  })

  it("leaves the other box's rows to the other box", () => {
    const mine = told({ row: row("5", { box: "out" }) })

    expect(ids(changed(box([row("9")]), "inbox", mine))).toEqual(["9"])
    expect(ids(changed(box([]), "sent", mine))).toEqual(["5"])
  })

  it("does not take in what lies below the rows it holds, but changes what it holds", () => {
    const held = box([row("9"), row("6")], { before: "6" })

    expect(ids(changed(held, "inbox", told({ row: row("3") })))).toEqual(["9", "6"])
    const recalled = changed(held, "inbox", told({ row: row("6", { recalled_at: 7 }) }))
    expect(recalled?.rows[1]?.recalled_at).toBe(7)
  })

  it("marks, unmarks, removes and counts", () => {
    const held = box([row("9", { thread_id: "t" }), row("6", { is_read: true }), row("3", { thread_id: "t" })])

    const after = changed(held, "inbox", told({ read: ["9"], unread_again: ["6"], gone: ["3"], thread_id: "t", thread_count: 1 }))
    expect(after?.rows.map((r) => [r.mail_id, r.is_read, r.thread_count])).toEqual([["9", true, 1], ["6", false, 1]])
  })

  it("applies a change once, and says when one was missed", () => {
    const held = box([row("9")])

    expect(changed(held, "inbox", told({ revision: 5, gone: ["9"] }))).toBe(held)
    expect(changed(held, "inbox", told({ revision: 7 }))).toBeNull()
  })

  it("applies to a page what came while it was on its way", () => {
    const page = box([row("9")])
    const came = [told({ revision: 5, gone: ["9"] }), told({ revision: 6, row: row("95") })]

    expect(ids(replayed(page, "inbox", came))).toEqual(["95", "9"])
    expect(replayed(page, "inbox", [told({ revision: 8 })])).toBeNull()
  })

  it("goes on below without doubling a row", () => {
    const page = { rows: [row("6"), row("3")], before: null, unread: 0, revision: 6 }

    expect(ids(continued(box([row("9"), row("6")], { before: "6" }), page))).toEqual(["9", "6", "3"])
    expect(boxOf(page)).toEqual({ revision: 6, rows: page.rows, before: null })
  })

  it("shows one line for each thread, unread if any of it is", () => {
    const rows = [row("9", { thread_id: "t", is_read: true }), row("6"), row("3", { thread_id: "t" })]

    expect(threads(rows).map((l) => [l.key, l.newest.mail_id, l.isUnread])).toEqual([["t", "9", true], ["6", "6", true]])
  })

  it("shows at once what a person does", () => {
    const held = box([row("9", { thread_id: "t" }), row("6"), row("3", { thread_id: "t" })])

    expect(ids(supposed(held, "t", { isGone: true }))).toEqual(["6"])
    expect(ids(supposed(held, "t", { isGone: true, only: "3" }))).toEqual(["9", "6"])
    expect(supposed(held, "t", { isRead: true }).rows.map((r) => r.is_read)).toEqual([true, false, true])
  })
})

describe("a letter", () => {
  const to = { person_ids: ["me", "bob"], department_ids: ["ward"] }
  const asked: Shown = { row: row("m1", { subject: "回复：例会" }), text: "周五见", is_new: false, read_count: null }
  const opened: Opened = { thread_id: "m1", mails: [asked], has_earlier: false, to }

  it("carries one mark, however often it was answered", () => {
    expect(marked("回复：", "例会")).toBe("回复：例会")
    expect(marked("回复：", "回复：Re: 例会")).toBe("回复：例会")
    expect([...marked("转发：", "长".repeat(200))]).toHaveLength(200)
  })

  it("answers the sender, or all but me", () => {
    expect(replyTo(opened, asked, "me", "回复：", false)).toMatchObject({ person_ids: ["ann"], department_ids: [], reply_to: "m1" })
    expect(replyTo(opened, asked, "me", "回复：", true)).toMatchObject({ person_ids: ["ann", "bob"], department_ids: ["ward"] })
  })

  it("goes on to the same people when I answer myself", () => {
    const mine = { ...asked, row: row("m1", { sender_id: "me", box: "out" }) }

    expect(replyTo(opened, mine, "me", "回复：", false).person_ids).toEqual(["bob"])
  })

  it("quotes what is passed on, and is no reply", () => {
    const copy = forwarded(asked, "转发：", "——")

    expect(copy).toMatchObject({ subject: "转发：例会", text: "\n\n——\n\n周五见", reply_to: null, person_ids: [] })
  })

  it("is the same after it came back unsent", () => {
    const draft = { ...BLANK, person_ids: ["bob"], subject: "例会", text: "周五", reply_to: "m1" }

    expect(draftOf(letterOf(draft))).toEqual(draft)
    expect(isBlank(BLANK)).toBe(true)
    expect(isBlank(draft)).toBe(false)
  })

  it("knows about how many it reaches", () => {
    const ward = { department_id: "ward", name: "产科", parent_id: null, people_count: 40 }
    const byId = new Map([["ward", ward]])

    expect(reach({ ...BLANK, person_ids: ["a", "b"], department_ids: ["ward"] }, byId, [ward])).toBe(42)
    expect(reach({ ...BLANK, everybody: true, person_ids: ["a"] }, byId, [ward])).toBe(40)
  })
})
