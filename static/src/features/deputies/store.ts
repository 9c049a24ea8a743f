/* For whom I stand in and what waits there, as the server last told it. Asked for when something has
   changed, and when a period begins or ends. */
import { defineStore } from "pinia"
import { computed, ref, shallowRef } from "vue"
import { onForget } from "../../store/forgetting"
import { serverNow } from "../../wire/clock"
import { command, stream } from "../../wire/connection"
import { rowOf, type Deputed, type Row } from "./rows"
import { w } from "./words"

const SETTLE_MS = 600
/** Timers go no further than this; then it is asked again anyway. */
const LONGEST_MS = 3_600_000

export const useDeputed = defineStore("deputed", () => {
  const deputed = shallowRef<Deputed | null>(null)
  /** How often something has changed: whoever shows more than this store holds asks again. */
  const changes = ref(0)
  const people = computed(() => deputed.value?.people ?? [])
  const rows = computed<Row[]>(() => (deputed.value?.items ?? []).map(rowOf))
  const pending = computed(() => people.value.reduce((sum, one) => sum + one.pending, 0))
  /** What a list of others' documents says when it is empty. */
  const nothing = computed(() => w("none"))
  let timer: ReturnType<typeof setTimeout> | undefined
  let loading: Promise<void> | undefined

  function load(): Promise<void> {
    loading ??= turn().finally(() => (loading = undefined))
    return loading
  }

  async function turn(): Promise<void> {
    deputed.value = await command("deputies.todos", {})
    const turnsAt = deputed.value.turns_at
    if (turnsAt) plan(Math.min(LONGEST_MS, Math.max(SETTLE_MS, turnsAt - serverNow() + SETTLE_MS)))
  }

  function plan(ms: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void load().catch(() => undefined), ms)
  }

  function nameOf(personId: string): string {
    return people.value.find(({ person }) => person.person_id === personId)?.person.name ?? ""
  }

  /** Whose document this is, if it waits for somebody I stand in for. */
  function of(requestId: string): Row | undefined {
    return rows.value.find(({ request_id }) => request_id === requestId)
  }

  async function opened(requestId: string): Promise<void> {
    await command("deputies.opened", { request_id: requestId })
    const held = deputed.value
    if (!held) return
    const items = held.items.map((item) => (item.request_id === requestId ? { ...item, is_new: false } : item))
    deputed.value = { ...held, items }
  }

  stream.on("deputies.changed", () => {
    changes.value++
    if (deputed.value) plan(SETTLE_MS)
  })
  onForget(() => {
    clearTimeout(timer)
    deputed.value = null
  })
  return { changes, nothing, people, rows, pending, load, nameOf, of, opened }
})
