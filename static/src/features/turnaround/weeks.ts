/* Durations as they are read, and the weeks as a table that a chart draws. Pure. */
import { spoken } from "../dashboard/numbers"
import { dayRow, type Table } from "../dashboard/tables"
import type { Figures } from "./Rows.vue"
import type { Reading, ReadRow, ReadWeek, Row, Week } from "./shapes"
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
  const begun = liveDay ? weeks.filter(({ monday }) => monday <= liveDay) : []
  const live = begun[begun.length - 1]
  const hours = (minutes: number | null): number | null => (minutes === null ? null : rounded(minutes / HOUR))
  return {
    title: w("weeks.title"),
    head: w("weeks.head"),
    columns: [
      { key: "median", label: w("weeks.median") },
      { key: "p90", label: w("weeks.p90") },
    ],
    rows: weeks.map((week) => ({ ...dayRow(week.monday), values: [hours(week.median), hours(week.p90)] })),
    addsUp: false,
    decimals: 1,
    ...(live && liveDay ? { mark: { key: live.monday, label: w("weeks.live") }, note: w("weeks.live_at", { day: liveDay }) } : {}),
  }
}

/** A part of a whole; what nothing can be said of is a dash. */
export function rate(part: number, whole: number): string {
  return whole ? percent(part / whole) : "–"
}

/** How long the documents of a process or department waited. */
export function waitedRow(row: Row): Figures {
  const note = w("shares", { ten: percent(row.within_10_minutes), hour: percent(row.within_hour), day: percent(row.within_day) })
  return { id: row.id, name: row.name || w("other"), note, cells: [spoken(row.n), duration(row.median), duration(row.p90)] }
}

/** How many copies of a process or department are read. */
export function readRow({ id, name, copies, read }: ReadRow): Figures {
  return { id, name: name || w("other"), cells: [spoken(copies), spoken(read), rate(read, copies)] }
}

/** How it is known which copies are read: as of which tour, and how far the present one is. */
export function known({ as_of, known_since, missed, under_way }: Reading): string {
  const tour = under_way && w("reading.under_way", { n: spoken(under_way.looked_at), all: spoken(under_way.people), at: moment(under_way.at) })
  if (!as_of || !known_since) return tour ? `${tour}${w("reading.first")}` : w("reading.never")
  const said = w("reading.as_of", { at: moment(as_of), since: moment(known_since) })
  return `${said}${missed ? w("reading.missed", { n: missed }) : ""}${tour ?? ""}`
}

/** A moment as `11-23 02:00`. */
function moment(at: number): string {
  return new Date(at).toLocaleString("sv-SE").slice(5, 16)
}

/** One row per week in which copies came, in percent. */
export function readTable(weeks: readonly ReadWeek[]): Table {
  const share = (part: number, whole: number): number | null => (whole ? Math.round((part / whole) * 100) : null)
  return {
    title: w("reading.weeks"),
    head: w("weeks.head"),
    columns: [
      { key: "now", label: w("reading.now") },
      { key: "day", label: w("reading.day") },
      { key: "three", label: w("reading.three") },
    ],
    rows: weeks.map((week) => ({
      ...dayRow(week.monday),
      values: [share(week.read, week.copies), share(week.day_read, week.day_copies), share(week.three_days_read, week.three_days_copies)],
    })),
    addsUp: false,
    isRate: true,
  }
}
