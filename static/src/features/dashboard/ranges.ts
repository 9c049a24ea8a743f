/* The days that are looked at, with what they are compared to. Asked for when the choice changes and,
   while today is among the days, again from time to time: each look-up is recorded, so not each second.
   Days that are over are asked for once a visit. */
import { defineStore } from "pinia"
import { computed, reactive, ref, shallowRef } from "vue"
import { onForget } from "../../store/forgetting"
import { asRefusal, type Refusal } from "../../wire/refusal"
import { ask, askPast } from "./asking"
import { problemOf, rangeOf, weeksBefore, type Days, type RangeName } from "./days"
import { hasTypes, type Metric } from "./figures"
import { useDashboard } from "./store"
import type { RangeFields, RangeFigures } from "./shapes"

interface Choice {
  name: RangeName
  custom: Days
  metric: Metric
  type: NonNullable<RangeFields["type"]> | ""
}
const first = (): Choice => ({ name: "today", custom: { from: "", to: "" }, metric: "registered", type: "" })

export interface Shown {
  asked: string
  range: RangeFigures
  before: RangeFigures
  weeks: number
}

export const useRanges = defineStore("dashboard ranges", () => {
  const dashboard = useDashboard()
  const choice = reactive(first())
  const shown = shallowRef<Shown | null>(null)
  const failure = shallowRef<Refusal | null>(null)
  const isLoading = ref(false)

  const days = computed<Days>(() => (choice.name === "custom" ? choice.custom : rangeOf(choice.name, dashboard.today)))
  const problem = computed(() => (dashboard.today ? problemOf(days.value, dashboard.today) : null))
  const hasToday = computed(() => days.value.to === dashboard.today)
  const isToday = computed(() => hasToday.value && days.value.from === days.value.to)

  const fields = computed<RangeFields | null>(() => {
    if (!dashboard.scope || !dashboard.today || problem.value) return null
    const department = dashboard.scope.department_id
    const type = hasTypes(choice.metric) && choice.type
    return {
      from_day: days.value.from,
      to_day: days.value.to,
      ...(department ? { department_id: department } : {}),
      ...(type ? { type } : {}),
    }
  })
  const asked = computed(() => JSON.stringify([dashboard.channel, fields.value]))
  /** What is shown answers what is chosen. */
  const current = computed(() => (shown.value?.asked === asked.value ? shown.value : null))

  async function load(): Promise<void> {
    const wanted = asked.value
    if (!fields.value) return
    const { weeks, from, to } = weeksBefore(days.value)
    isLoading.value = true
    failure.value = null
    try {
      const [range, before] = await Promise.all([
        hasToday.value ? ask(fields.value) : askPast(fields.value),
        askPast({ ...fields.value, from_day: from, to_day: to }),
      ])
      if (wanted === asked.value) shown.value = { asked: wanted, range, before, weeks }
    } catch (error) {
      if (wanted === asked.value) failure.value = asRefusal(error)
    } finally {
      if (wanted === asked.value) isLoading.value = false
    }
  }

  /** Another range; the days one had are where choosing one's own begins. */
  function chooseRange(name: RangeName): void {
    if (name === "custom" && choice.name !== "custom") choice.custom = { ...days.value }
    choice.name = name
  }

  onForget(() => {
    Object.assign(choice, first())
    shown.value = null
    failure.value = null
  })

  return { choice, days, problem, hasToday, isToday, asked, current, failure, isLoading, load, chooseRange }
})
