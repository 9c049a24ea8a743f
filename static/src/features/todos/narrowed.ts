/* A list narrowed down: by words, a kind, how urgent, since when. It is asked for and not kept. */
import { computed, reactive, shallowRef, watch, type Ref } from "vue"
import { continued, followed, isUnknown, MOST_AGAIN, type TodoList } from "../../store/todo_pages"
import { command } from "../../wire/connection"
import { asRefusal, Refusal } from "../../wire/refusal"
import type { Fields, Result, Todo, TodoState } from "../../wire/shapes"

export type Since = "any" | "today" | "week" | "month"
const DAY_MS = 86_400_000
const DAYS: Record<Exclude<Since, "any">, number> = { today: 0, week: 6, month: 29 }
const SETTLE_MS = 300

export interface Narrowing {
  search: string
  kind: string
  urgency: Todo["urgency"] | null
  since: Since
}

/** Midnight of the first day that counts. */
export function startOf(since: Since, now: number): number | null {
  return since === "any" ? null : new Date(now).setHours(0, 0, 0, 0) - DAYS[since] * DAY_MS
}

export function useNarrowed(state: Ref<TodoState>) {
  const by = reactive<Narrowing>({ search: "", kind: "", urgency: null, since: "any" })
  const list = shallowRef<TodoList>()
  const items = computed(() => list.value?.items ?? null)
  const failure = shallowRef<Refusal | null>(null)
  const found = shallowRef<{ total: number | null; lookedAt: number | null }>({ total: null, lookedAt: null })
  const kinds = shallowRef<string[]>([])
  const isOn = computed(() => !!by.search.trim() || !!by.kind || !!by.urgency || by.since !== "any")
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(from: number, to: number): Promise<void> {
    const mine = ++turn
    const { search, kind, urgency, since } = by
    const fields: Fields<"todos.list"> = { state: state.value, search: search.trim(), kind, urgency, since: startOf(since, Date.now()) }
    try {
      let read = from > 1 ? list.value : undefined
      for (let page = from; page <= to && !read?.isWhole; page++) {
        const answer = await command("todos.list", { ...fields, page })
        if (mine !== turn) return
        if (page > 1 && isUnknown(answer)) throw new Refusal("oa_away")
        read = continued(read, answer, page)
        note(answer)
      }
      if (read) list.value = followed(read, list.value)
      failure.value = null
    } catch (error) {
      if (mine === turn) failure.value = asRefusal(error)
    }
  }

  function note(answer: Result<"todos.list">): void {
    kinds.value = [...new Set([...kinds.value, ...(answer.kinds ?? [])])]
    found.value = { total: answer.total, lookedAt: answer.looked_at ?? null }
  }

  /** The same rows as they are now. */
  function refresh(): Promise<void> {
    return ask(1, Math.min(list.value?.page ?? 1, MOST_AGAIN))
  }

  function again(): void {
    clearTimeout(timer)
    if (isOn.value) timer = setTimeout(() => void ask(1, 1), SETTLE_MS)
  }

  async function more(): Promise<void> {
    const page = list.value?.page
    if (isOn.value && page && !list.value?.isWhole) await ask(page + 1, page + 1)
  }

  function clear(): void {
    Object.assign(by, { search: "", kind: "", urgency: null, since: "any" })
  }

  watch([() => ({ ...by }), state], ([, now], [, before]) => {
    turn++
    if (now !== before) {
      kinds.value = []
      by.kind = ""
    }
    list.value = undefined
    failure.value = null
    again()
  })

  return { by, items, failure, found, kinds, isOn, more, clear, again: refresh }
}
