/* What is looked at, and the answer to it. Asked for when the choice changes: each look is recorded. */
import { defineStore } from "pinia"
import { computed, reactive, ref, shallowRef } from "vue"
import { onForget } from "../../store/forgetting"
import { command } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import { problemOf, rangeOf, type Days, type RangeName } from "../dashboard/days"
import type { Mine, Processes, RangeFields, Reading, Row } from "./shapes"

const first = (): { name: RangeName; custom: Days; department: string } => ({ name: "month", custom: { from: "", to: "" }, department: "" })

export const useTurnaround = defineStore("turnaround", () => {
  const mine = shallowRef<Mine | null>(null)
  const choice = reactive(first())
  const shown = shallowRef<{ asked: string; processes: Processes; reading: Reading } | null>(null)
  const departments = shallowRef<Row[]>([])
  const failure = shallowRef<Refusal | null>(null)
  const isLoading = ref(false)

  const today = computed(() => mine.value?.day ?? "")
  const days = computed<Days>(() => (choice.name === "custom" ? choice.custom : rangeOf(choice.name, today.value)))
  const problem = computed(() => (today.value ? problemOf(days.value, today.value) : null))
  const fields = computed<RangeFields | null>(() => {
    if (!mine.value?.sees_all || problem.value) return null
    const { from, to } = days.value
    return { from_day: from, to_day: to, ...(choice.department ? { department_id: choice.department } : {}) }
  })
  const asked = computed(() => JSON.stringify(fields.value))
  /** What is shown answers what is chosen. */
  const answer = computed(() => (shown.value?.asked === asked.value ? shown.value : null))
  const current = computed(() => answer.value?.processes ?? null)
  const reading = computed(() => answer.value?.reading ?? null)

  async function load(): Promise<void> {
    isLoading.value = true
    failure.value = null
    let wanted = asked.value
    try {
      mine.value = await command("turnaround.mine", {})
      wanted = asked.value
      if (!fields.value) return
      const [processes, reading] = await Promise.all([command("turnaround.processes", fields.value), command("turnaround.reading", fields.value)])
      if (processes.departments.length) departments.value = processes.departments
      if (wanted === asked.value) shown.value = { asked: wanted, processes, reading }
    } catch (error) {
      if (wanted === asked.value) failure.value = asRefusal(error)
    } finally {
      isLoading.value = false
    }
  }

  /** Another range; the days one had are where choosing one's own begins. */
  function chooseRange(name: RangeName): void {
    if (name === "custom" && choice.name !== "custom") choice.custom = { ...days.value }
    choice.name = name
  }

  onForget(() => {
    Object.assign(choice, first())
    mine.value = null
    shown.value = null
    departments.value = []
    failure.value = null
  })

  return { mine, choice, today, days, problem, asked, current, reading, departments, failure, isLoading, load, chooseRange }
})
