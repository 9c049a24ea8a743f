/* Rows that have just left a list stay where they were for a moment, and say why. */
import { computed, onBeforeUnmount, shallowRef, watch, type Ref } from "vue"
import type { TodoList } from "../../store/todo_pages"
import type { Todo, TodoState } from "../../wire/shapes"
import { useDocuments } from "../documents/store"

const SHOWN_MS = 5_000
/** A list older than this is not what somebody was just looking at. */
const RECENT_MS = 600_000

export interface Faded {
  item: Todo
  /** Where it stood. */
  at: number
}

/** Rows of `before` that are gone from `now`, leaving out those that may merely stand on a further page. */
export function gone(before: Todo[], now: Todo[], isWhole: boolean): Faded[] {
  const here = new Set(now.map(({ item_id }) => item_id))
  const last = now[now.length - 1]?.received_at ?? null
  return before
    .map((item, at) => ({ item, at }))
    .filter(({ item }) => !here.has(item.item_id) && (isWhole || (last !== null && (item.received_at ?? 0) > last)))
}

/** The list with its faded rows put back in their places. */
export function withFaded(now: Todo[], faded: Faded[]): Todo[] {
  const here = new Set(now.map(({ item_id }) => item_id))
  const rows = [...now]
  for (const { item, at } of [...faded].sort((a, b) => a.at - b.at)) if (!here.has(item.item_id)) rows.splice(Math.min(at, rows.length), 0, item)
  return rows
}

export function useFading(state: Ref<TodoState>, list: Ref<TodoList | undefined>) {
  const documents = useDocuments()
  const faded = shallowRef<Faded[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined

  watch([state, list], ([is, now], [was, before]) => {
    if (is !== was) faded.value = []
    const isRecent = !!before?.asOf && !!now?.asOf && now.asOf - before.asOf < RECENT_MS
    if (is !== was || is !== "pending" || !now || now.stale || !before || !isRecent) return
    const left = gone(before.items, now.items, now.isWhole)
    if (!left.length) return
    faded.value = [...faded.value, ...left]
    clearTimeout(timer)
    timer = setTimeout(() => (faded.value = []), SHOWN_MS)
  })
  onBeforeUnmount(() => clearTimeout(timer))

  const rows = computed(() => withFaded(list.value?.items ?? [], faded.value))
  const ids = computed(() => new Set(faded.value.map(({ item }) => item.item_id)))

  /** Why a row fades, or that it does not. */
  function reasonOf(item: Todo): "" | "approved" | "rejected" | "forwarded" | "elsewhere" {
    const act = documents.acts.get(item.request_id)
    const isMine = act?.state === "done"
    if (!ids.value.has(item.item_id) && !(isMine && act.isNews && documents.phase(item.request_id) === "done")) return ""
    if (!isMine) return "elsewhere"
    return act.action === "reject" ? "rejected" : act.action === "forward" ? "forwarded" : "approved"
  }

  return { rows, reasonOf }
}
