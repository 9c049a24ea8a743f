/* A list narrowed down: by words, a kind, how urgent, since when. It is asked for and not kept. */
import { computed, reactive, shallowRef, watch, type Ref } from "vue"
import { command } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import type { Fields, Todo, TodoState } from "../../wire/shapes"

export type Since = "any" | "today" | "week" | "month"
const DAY_MS = 86_400_000
const DAYS: Record<Exclude<Since, "any">, number> = { today: 0, week: 6, month: 29 }
const ROWS = 20
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
  const items = shallowRef<Todo[] | null>(null)
  const failure = shallowRef<Refusal | null>(null)
  const found = shallowRef<{ total: number | null; lookedAt: number | null }>({ total: null, lookedAt: null })
  const kinds = shallowRef<string[]>([])
  const isOn = computed(() => !!by.search.trim() || !!by.kind || !!by.urgency || by.since !== "any")
  let page = 0
  let isWhole = false
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(wanted: number): Promise<void> {
    const mine = ++turn
    const { search, kind, urgency, since } = by
    const fields: Fields<"todos.list"> = { state: state.value, page: wanted, search: search.trim(), kind, urgency, since: startOf(since, Date.now()) }
    try {
      const answer = await command("todos.list", fields)
      if (mine !== turn) return
      const before = wanted === 1 ? [] : (items.value ?? [])
      const known = new Set(before.map(({ item_id }) => item_id))
      items.value = [...before, ...answer.items.filter(({ item_id }) => !known.has(item_id))]
      kinds.value = [...new Set([...kinds.value, ...(answer.kinds ?? [])])]
      found.value = { total: answer.total, lookedAt: answer.looked_at ?? null }
      isWhole = answer.items.length < ROWS || (answer.total !== null && items.value.length >= answer.total)
      page = wanted
      failure.value = null
    } catch (error) {
      if (mine === turn) failure.value = asRefusal(error)
    }
  }

  function again(): void {
    clearTimeout(timer)
    if (isOn.value) timer = setTimeout(() => void ask(1), SETTLE_MS)
  }

  function more(): void {
    if (isOn.value && !isWhole && page) void ask(page + 1)
  }

  function clear(): void {
    Object.assign(by, { search: "", kind: "", urgency: null, since: "any" })
  }

  watch([() => ({ ...by }), state], ([, now], [, before]) => {
    turn++
    page = 0
    if (now !== before) {
      kinds.value = []
      by.kind = ""
    }
    items.value = null
    failure.value = null
    again()
  })

  return { by, items, failure, found, kinds, isOn, more, clear, again: () => ask(1) }
}
