/* To-dos as the server last told them: one count for the badge, one growing list per tab. */
import { defineStore } from "pinia"
import { computed, ref, shallowReactive, shallowRef } from "vue"
import { command, stream } from "../wire/connection"
import { asRefusal, Refusal } from "../wire/refusal"
import type { Result, Todo, TodoState } from "../wire/shapes"
import { keep, read } from "./kept"
import { beginning, continued, followed, isUnknown, MOST_AGAIN, type TodoList } from "./todo_pages"

type Count = Result<"todos.count">
const SETTLE_MS = 600
const PATIENCE_MS = 3_000

export const useTodos = defineStore("todos", () => {
  const count = shallowRef<Count | null>(null)
  const lists = shallowReactive(new Map<TodoState, TodoList>())
  const failures = shallowReactive(new Map<TodoState, Refusal>())
  const isLoading = ref(false)
  /** The OA has been asked for a while and has not answered. */
  const isSlow = ref(false)
  const pending = computed(() => count.value?.pending ?? 0)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function loadCount(): Promise<void> {
    count.value = await command("todos.count", {})
  }

  async function recollect(state: TodoState): Promise<void> {
    if (lists.has(state)) return
    const kept = await read<TodoList>("state", `todos ${state}`)
    if (kept && !lists.has(state)) lists.set(state, kept)
  }

  async function load(state: TodoState): Promise<void> {
    await turn(state, 1, Math.min(lists.get(state)?.page ?? 1, MOST_AGAIN))
  }

  async function loadMore(state: TodoState): Promise<void> {
    const list = lists.get(state)
    if (!list || isLoading.value || list.isWhole) return
    await turn(state, list.page + 1, list.page + 1)
  }

  /** Reads some pages; shown when all of them are here. */
  async function turn(state: TodoState, from: number, to: number): Promise<void> {
    isLoading.value = true
    const patience = setTimeout(() => (isSlow.value = true), PATIENCE_MS)
    try {
      let list = from > 1 ? lists.get(state) : undefined
      for (let page = from; page <= to && !list?.isWhole; page++) {
        const answer = await command("todos.list", { state, page })
        if (page > 1 && isUnknown(answer)) throw new Refusal("oa_away")
        list = continued(list, answer, page)
      }
      if (!list) return
      lists.set(state, followed(list, lists.get(state)))
      failures.delete(state)
      if (from === 1) void keep("state", `todos ${state}`, beginning(list))
    } catch (error) {
      failures.set(state, asRefusal(error))
    } finally {
      clearTimeout(patience)
      isSlow.value = false
      isLoading.value = false
    }
  }

  /** The row of a document, if a list that was shown here has it. */
  function held(requestId: string): Todo | null {
    for (const { items } of lists.values()) {
      const found = items.find((item) => item.request_id === requestId)
      if (found) return found
    }
    return null
  }

  async function opened(requestId: string): Promise<void> {
    await command("todos.opened", { request_id: requestId })
    for (const [state, list] of lists) {
      const items = list.items.map((i) => (i.request_id === requestId ? { ...i, is_new: false } : i))
      lists.set(state, { ...list, items })
    }
  }

  stream.on("todos.counted", ({ pending: waiting, unread, as_of }) => {
    count.value = { pending: waiting, unread, as_of, stale: false }
    loadSoon()
  })
  stream.on("todos.urged", loadSoon)

  /** What is told comes in bursts: one reading for all of it. */
  function loadSoon(): void {
    clearTimeout(timer)
    if (lists.has("pending")) timer = setTimeout(() => void load("pending"), SETTLE_MS)
  }

  function forget(): void {
    clearTimeout(timer)
    count.value = null
    lists.clear()
    failures.clear()
  }

  return { count, lists, failures, isLoading, isSlow, pending, loadCount, recollect, load, loadMore, held, opened, forget }
})
