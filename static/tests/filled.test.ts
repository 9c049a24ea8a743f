import { createPinia, setActivePinia } from "pinia"
import { effectScope, nextTick, shallowRef } from "vue"
import { beforeEach, describe, expect, it, vi } from "vitest"
import { changesTo, recallFilled, standing } from "../src/features/documents/filled"
import { useFilling } from "../src/features/documents/filling"
import { useDocuments } from "../src/features/documents/store"
import type { Act, Field, Opened } from "../src/features/documents/shapes"
import { useAccount } from "../src/store/kept"

function field(name: string, value: string): Field {
  return { name, label: name, kind: "text", value, shown: value, may_edit: true, must_fill: false, options: [], attachments: [] }
}

function card(over: Partial<Opened> = {}): Opened {
  const table = { title: "明细", columns: [field("day", "")], rows: [[field("day", "1 日")]] }
  return { request_id: "7", node: "科主任审批", actions: [{ action: "approve", label: "同意" }], fields: [field("why", "进修"), field("days", "2")], tables: [table], ...over } as Opened
}

const typed = { values: { why: "参加培训", days: "2" }, rows: [[{ day: "3 日" }]] }

describe("what was filled in and not sent", () => {
  it("stands while the OA holds what it held", () => {
    expect(standing(card(), changesTo(card(), typed))).toEqual({ values: { why: "参加培训" }, rows: [[{ day: "3 日" }]] })
  })

  it("is let go where the OA holds something else by now", () => {
    const kept = changesTo(card(), typed)
    const changed = card({ fields: [field("why", "探亲"), field("days", "2")], tables: [{ ...card().tables[0]!, rows: [] }] })
    expect(standing(changed, kept)).toEqual({ values: {}, rows: [null] })
  })

  it("is let go at another step", () => {
    expect(standing(card({ node: "院长审批" }), changesTo(card(), typed))).toEqual({ values: {}, rows: [null] })
  })
})

describe("a page that goes", () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    useAccount(`p${Math.random()}`)
  })

  function page(opened: Opened) {
    const scope = effectScope()
    const filling = scope.run(() => useFilling(shallowRef<Opened | null>(opened)))!
    return { filling, scope }
  }

  async function left(): Promise<void> {
    const { filling, scope } = page(card())
    await filling.recall()
    filling.values.value = { why: "参加培训" }
    await nextTick()
    scope.stop()
    await vi.waitFor(async () => expect((await recallFilled(card())).values).toEqual({ why: "参加培训" }))
  }

  it("comes back with what was typed, under what was typed since", async () => {
    await left()
    const { filling, scope } = page(card())
    filling.values.value = { days: "3" }
    await filling.recall()
    expect(filling.changes().fields).toEqual({ why: "参加培训", days: "3" })
    scope.stop()
  })

  it("has nothing left of it once the document was decided", async () => {
    await left()
    const act: Act = { client_id: "c", action: "approve", state: "done", asked_at: 1, opinion: "", reason: "", may_repeat: false }
    useDocuments().ended("7", "请假", act)
    await vi.waitFor(async () => expect((await recallFilled(card())).values).toEqual({}))
  })
})
