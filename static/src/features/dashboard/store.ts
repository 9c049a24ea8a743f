/* Live figures as the server last told them: which channels there are, the one that is looked at, and
   what yesterday had. A number that is not followed at this moment is never shown as if it were. */
import { defineStore } from "pinia"
import { computed, ref, shallowRef, watch } from "vue"
import { now } from "../../parts/now"
import { onForget } from "../../store/forgetting"
import { keep, read } from "../../store/kept"
import { command, isLive, stream } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import { watchChannel } from "../../wire/watching"
import { askPast, forgetPast } from "./asking"
import { byThen, changeOf, timeOfDay, type Change } from "./comparison"
import { plusDays } from "./days"
import { dayOf, folded, nothing, overdueAfter, remembered, restarted, total, type Live, type Metric } from "./figures"
import { paced } from "./pace"
import type { RangeFigures, Scope, Scopes, Updated } from "./shapes"

const SHOW_EVERY_MS = 1_000
/** A line that is back sooner took nothing away. */
const CUT_AFTER_MS = 5_000
const KEY = "dashboard"

interface Snapshot {
  scopes: Scopes
  channel: string
  live: Live
}

export const useDashboard = defineStore("dashboard", () => {
  const scopes = shallowRef<Scopes | null>(null)
  const failure = shallowRef<Refusal | null>(null)
  const channel = ref("")
  const live = shallowRef<Live>(nothing())
  const isFollowing = ref(false)
  const wasCut = ref(false)
  const yesterday = shallowRef<{ key: string; range: RangeFigures } | null>(null)
  let told = nothing()
  let lookAway: (() => void) | null = null
  let cutTimer: ReturnType<typeof setTimeout> | undefined
  let overdueTimer: ReturnType<typeof setTimeout> | undefined
  const pace = paced<Live>((value) => (live.value = value), SHOW_EVERY_MS)

  const scope = computed<Scope | null>(() => scopes.value?.channels.find((one) => one.channel === channel.value) ?? null)
  const zone = computed(() => scopes.value?.zone ?? "Asia/Shanghai")
  const today = computed(() => dayOf(live.value) || scopes.value?.today || "")
  const source = computed(() => live.value.source?.value ?? null)
  const isOverdue = ref(false)
  /** The source was heard lately and we hear of it: what is shown is so now. */
  const isFresh = computed(() => isFollowing.value && !!source.value && !source.value.stale && !isOverdue.value)
  const isBare = computed(() => isFollowing.value && live.value.departments.size === 0)

  async function open(): Promise<void> {
    if (!scopes.value) await recollect()
    await loadScopes()
  }

  async function recollect(): Promise<void> {
    const kept = await read<Snapshot>("state", KEY)
    if (!kept || scopes.value) return
    scopes.value = kept.scopes
    channel.value = kept.channel
    told = kept.live
    pace.show(told)
  }

  async function loadScopes(): Promise<void> {
    failure.value = null
    try {
      scopes.value = await command("dashboard.scopes", {})
    } catch (error) {
      failure.value = asRefusal(error)
    }
    const channels = scopes.value?.channels ?? []
    if (!channels.some((one) => one.channel === channel.value)) clear(channels[0]?.channel ?? "")
    if (channel.value) follow()
  }

  function choose(wanted: string): void {
    if (wanted === channel.value) return
    clear(wanted)
    follow()
  }

  /** Looks at the chosen channel until `close`. */
  function follow(): void {
    lookAway?.()
    suspect()
    lookAway = watchChannel(channel.value, {
      started: ({ state, position }) => {
        told = restarted(told, Object.values(state).map((data) => (data as Updated).values), position)
        pace.show(told)
        wasCut.value = false
        isFollowing.value = true
        save()
      },
      refused: (why) => {
        isFollowing.value = false
        if (["not_found", "forbidden"].includes(why.code)) void loadScopes()
      },
    })
  }

  /** From here on, so long without a line means that what is shown grows old. */
  function suspect(): void {
    clearTimeout(cutTimer)
    if (isLive.value) return
    cutTimer = setTimeout(() => {
      wasCut.value = true
      isFollowing.value = false
    }, CUT_AFTER_MS)
  }

  function close(): void {
    lookAway?.()
    lookAway = null
    isFollowing.value = false
    clearTimeout(cutTimer)
    pace.stop()
    forgetPast()
    save()
  }

  function save(): void {
    if (!scopes.value || !channel.value) return
    void keep("state", KEY, { scopes: scopes.value, channel: channel.value, live: remembered(told) } satisfies Snapshot)
  }

  function clear(wanted: string): void {
    channel.value = wanted
    told = nothing()
    pace.show(told)
    isFollowing.value = false
    yesterday.value = null
  }

  const moment = computed(() => timeOfDay(zone.value, source.value?.as_of ?? now.value, today.value))

  /** A number against yesterday's by the time of the last figure; null where yesterday said nothing. */
  function change(metric: Metric): Change | null {
    const n = total(live.value, metric)
    if (n === null || yesterday.value?.key !== wantedYesterday.value) return null
    const before = byThen(yesterday.value.range, metric, moment.value.hour, moment.value.minute)
    return before === null ? null : changeOf(n, before)
  }

  const wantedYesterday = computed(() => (isFollowing.value && today.value ? `${channel.value} ${today.value}` : ""))
  const isComparing = computed(() => yesterday.value?.key !== wantedYesterday.value)

  async function loadYesterday(key: string): Promise<void> {
    const day = plusDays(today.value, -1)
    const department = scope.value?.department_id
    const fields = { from_day: day, to_day: day, ...(department ? { department_id: department } : {}) }
    const range = await askPast(fields)
    if (key === wantedYesterday.value) yesterday.value = { key, range }
  }

  watch(wantedYesterday, (key) => {
    if (key && yesterday.value?.key !== key) loadYesterday(key).catch(() => undefined)
  })

  /* A server that cannot store, or has nobody who leads, does not tell that it tells nothing. */
  watch(source, (told) => {
    clearTimeout(overdueTimer)
    isOverdue.value = false
    if (told) overdueTimer = setTimeout(() => (isOverdue.value = true), overdueAfter(told))
  })

  watch(isLive, () => lookAway && suspect())

  stream.on("dashboard.updated", ({ values, channel: from, position }) => {
    if (from !== channel.value || position === null) return
    told = folded(told, values, position)
    pace.tell(told)
  })
  /* History went back: positions that are held mean nothing any more. */
  stream.onReload(() => clear(channel.value))

  onForget(() => {
    scopes.value = null
    close()
    failure.value = null
    clear("")
  })

  return { scopes, failure, channel, scope, live, zone, today, source, isFollowing, isFresh, isBare, wasCut, isComparing, open, close, choose, loadScopes, change }
})
