import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { nextTick, ref } from "vue"
import { useNarrowed } from "../src/features/todos/narrowed"
import { useTodos } from "../src/store/todos"
import type { Fields, Todo } from "../src/wire/shapes"

/* What waits in the OA, the newest first, in pages of twenty. Only pages up to `known` can be told. */
let waiting: number[] = []
let known = 99

function row(number: number): Todo {
  return { item_id: `i${number}`, request_id: `${number}`, title: `第${number}件`, received_at: number } as Todo
}

function answer({ page = 1 }: Fields<"todos.list">) {
  if (page > known) return { items: [], total: null, as_of: null, stale: true, looked_at: null, kinds: [] }
  const items = waiting.slice((page - 1) * 20, page * 20).map(row)
  return { items, total: waiting.length, as_of: 1, stale: false, looked_at: null, kinds: [] }
}

async function readTo(pages: number) {
  const todos = useTodos()
  await todos.load("pending")
  for (let page = 2; page <= pages; page++) await todos.loadMore("pending")
  return todos
}

const ids = (items: Todo[] | null | undefined): number[] => (items ?? []).map(({ request_id }) => Number(request_id))

beforeEach(() => {
  waiting = Array.from({ length: 200 }, (_, at) => 200 - at)
  known = 99
  setActivePinia(createPinia())
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    const result = answer(JSON.parse(String(init.body)) as Fields<"todos.list">)
    return new Response(JSON.stringify({ ok: true, result }))
  })
})
afterEach(() => vi.unstubAllGlobals())

describe("a long list", () => {
  it("keeps the rows far down when it is read again from the top", async () => {
    const todos = await readTo(8)
    waiting = [201, ...waiting.filter((number) => number !== 150)]
    await todos.load("pending")
    expect(ids(todos.lists.get("pending")?.items)).toEqual([201, ...Array.from({ length: 160 }, (_, at) => 200 - at).filter((number) => number !== 150)])
  })

  it("drops what is gone further down once one reads on", async () => {
    const todos = await readTo(8)
    waiting = waiting.filter((number) => number !== 60)
    await todos.load("pending")
    for (let page = 6; page <= 9; page++) await todos.loadMore("pending")
    expect(ids(todos.lists.get("pending")?.items)).toEqual(waiting.slice(0, 180))
  })

  it("has no rows behind its end", async () => {
    const todos = await readTo(8)
    waiting = waiting.slice(0, 90)
    await todos.load("pending")
    const list = todos.lists.get("pending")
    expect([ids(list?.items), list?.isWhole]).toEqual([waiting, true])
  })

  it("is not at its end where the OA cannot be asked", async () => {
    const todos = await readTo(2)
    known = 2
    await todos.loadMore("pending")
    const list = todos.lists.get("pending")
    expect([list?.items.length, list?.isWhole, list?.asOf]).toEqual([40, false, 1])
    expect(todos.failures.get("pending")?.code).toBe("oa_away")
  })
})

describe("a list narrowed down", () => {
  it("keeps its rows when one comes back to it", async () => {
    const narrowed = useNarrowed(ref("pending"))
    narrowed.by.search = "件"
    await nextTick()
    await narrowed.again()
    await narrowed.more()
    await narrowed.more()
    waiting = waiting.filter((number) => number !== 190)
    await narrowed.again()
    expect(ids(narrowed.items.value)).toEqual(waiting.slice(0, 60))
  })
})
