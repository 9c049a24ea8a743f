/* Live figures: what the channel told, folded into the newest value per department, and the numbers
   that come out of it. Pure. A value is held with the position that brought it, so that a state that
   was read a moment earlier than an event arrived does not take the event back. */
import type { Counts, Figures, Source, Values } from "./shapes"

const ON_THE_WAY_MS = 5_000

/** In the order of their tiles. */
export const METRICS = ["registered", "seen", "called", "inpatients", "operations"] as const
export type Metric = (typeof METRICS)[number]
export type TypedMetric = "registered" | "seen" | "called"

export interface Live {
  departments: ReadonlyMap<string, Held<Figures>>
  source: Held<Source> | null
}
interface Held<T> {
  value: T
  position: number
}
export interface Slice<K extends string = string> {
  key: K
  n: number
}

export function hasTypes(metric: Metric): metric is TypedMetric {
  return metric === "registered" || metric === "seen" || metric === "called"
}

export function nothing(): Live {
  return { departments: new Map(), source: null }
}

/** Takes over what an event or a state brought, unless something newer is held. */
export function folded(live: Live, values: Values, position: number): Live {
  const departments = new Map(live.departments)
  let { source } = live
  for (const value of Object.values(values)) {
    if (value.kind === "source") {
      if (!source || source.position <= position) source = { value, position }
    } else if ((departments.get(value.department_id)?.position ?? 0) <= position)
      departments.set(value.department_id, { value, position })
  }
  return { departments, source }
}

/** What a channel answers when it is asked for: all there is, and what arrived since that was read. */
export function restarted(live: Live, values: Values[], position: number): Live {
  const later = [...live.departments].filter(([, held]) => held.position > position)
  const source = live.source && live.source.position > position ? live.source : null
  const kept: Live = { departments: new Map(later), source }
  return values.reduce((so, some) => folded(so, some, position), kept)
}

/** As it may be kept for the next visit, when positions mean nothing. */
export function remembered(live: Live): Live {
  const departments = [...live.departments].map(([key, { value }]) => [key, { value, position: 0 }] as const)
  return { departments: new Map(departments), source: live.source && { ...live.source, position: 0 } }
}

/** How long to wait for news of a source that is heard: it comes once in a period, or in the next. */
export function overdueAfter({ period_ms }: Source): number {
  return 3 * period_ms + ON_THE_WAY_MS
}

/** The day the figures are of: after midnight the first department that says so decides. */
export function dayOf(live: Live): string {
  return all(live).reduce((latest, { day }) => (day > latest ? day : latest), "")
}

/** The sum over departments; null while nobody has said a number. */
export function total(live: Live, metric: Metric): number | null {
  return byDepartment(live, metric).reduce<number | null>((sum, { n }) => (sum ?? 0) + n, null)
}

/** Departments that have said a number, the largest first. */
export function byDepartment(live: Live, metric: Metric): Slice[] {
  const today = dayOf(live)
  const slices = all(live).flatMap((figures) => {
    const n = numberOf(figures, metric, today)
    return n === null ? [] : [{ key: figures.department_id, n }]
  })
  return slices.sort((a, b) => b.n - a.n || (a.key < b.key ? -1 : 1))
}

/** By type of registration, in the order the server names the types. */
export function byType<K extends string>(live: Live, metric: TypedMetric, types: readonly K[]): Slice<K>[] {
  const today = dayOf(live)
  const counts = all(live).filter(({ day }) => day === today).map((figures) => figures[metric])
  return types.map((key) => ({ key, n: counts.reduce((sum, count) => sum + (count[key] ?? 0), 0) }))
}

export function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0)
}

function all(live: Live): Figures[] {
  return [...live.departments.values()].map(({ value }) => value)
}

/** Counters of a day that is over count nothing today; who lies in bed stays there. */
function numberOf(figures: Figures, metric: Metric, today: string): number | null {
  if (metric === "inpatients") return figures.inpatients
  if (figures.day !== today) return 0
  return metric === "operations" ? figures.operations : sumOf(figures[metric])
}
