/* Durations as they are read, and the weeks as a table that a chart draws. Pure. */
import type { Table } from "../dashboard/tables"
import type { Week } from "./shapes"
import { w } from "./words"

const HOUR = 60
const DAY = 24 * HOUR
/** Below two days hours are easier to read. */
const SHOWN_IN_HOURS = 2 * DAY

/** A number of minutes, in the unit that suits it. */
export function duration(minutes: number | null): string {
  if (minutes === null) return "–"
  if (minutes < HOUR) return w("duration.minutes", { n: minutes })
  return minutes < SHOWN_IN_HOURS ? w("duration.hours", { n: rounded(minutes / HOUR) }) : w("duration.days", { n: rounded(minutes / DAY) })
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}

const rounded = (n: number): number => Math.round(n * 10) / 10

/** One row per week; the week in which the hospital went live is marked. */
export function weekTable(weeks: readonly Week[], liveDay: string | null): Table {
  const live = liveDay && weeks.filter(({ monday }) => monday <= liveDay).at(-1)
  const hours = (minutes: number | null): number | null => (minutes === null ? null : Math.round((minutes / HOUR) * 100) / 100)
  return {
    title: w("weeks.title"),
    head: w("weeks.head"),
    columns: [
      { key: "median", label: w("weeks.median") },
      { key: "p90", label: w("weeks.p90") },
    ],
    rows: weeks.map((week) => ({ key: week.monday, label: week.monday.slice(5), values: [hours(week.median), hours(week.p90)] })),
    addsUp: false,
    ...(live ? { mark: { key: live.monday, label: w("weeks.live") }, note: w("weeks.live_at", { day: liveDay }) } : {}),
  }
}
