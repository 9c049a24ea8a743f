/* The numbers of a range as tables. A chart draws such a table, the table view shows it, the export
   writes it: the three cannot differ. Pure: names come in as functions. */
import { daysOf } from "./days"
import { hasTypes, type Metric } from "./figures"
import type { DepartmentSums, RangeFigures, RegistrationType } from "./shapes"

export interface Column {
  key: string
  label: string
}
export interface Row {
  key: string
  /** As a drawing has room for it. */
  label: string
  /** As rows and files have it, where that is more: a day with its year. */
  whole?: string
  values: (number | null)[]
}
export interface Table {
  title: string
  /** What the rows are. */
  head: string
  columns: Column[]
  rows: Row[]
  /** Whether the columns of a row add up to something worth saying. */
  addsUp: boolean
  /** Decimals of each number. */
  decimals?: number
  /** Parts of a whole, in percent. */
  isRate?: boolean
  /** What one has to know to read it. */
  note?: string
  /** A row at which something began: a line in the drawing. */
  mark?: { key: string; label: string }
}
export interface Names {
  title: string
  head: string
  metric: string
  type: (key: RegistrationType) => string
}

/** One row per department, the largest first; one column per type where there are types. */
export function departmentTable(range: RangeFigures, metric: Metric, types: readonly RegistrationType[], names: Names): Table {
  const present = hasTypes(metric) ? types.filter((type) => range.departments.some((sums) => sums.by_type[metric]?.[type])) : []
  const columns = hasTypes(metric)
    ? present.map((key) => ({ key, label: names.type(key) }))
    : [{ key: metric, label: names.metric }]
  const rows = range.departments
    .map((sums) => ({ key: sums.department_id, label: sums.name, values: valuesOf(sums, metric, present) }))
    .filter(({ values }) => values.some((n) => n))
    .sort((a, b) => rowSum(b) - rowSum(a) || (a.key < b.key ? -1 : 1))
  return { title: names.title, head: names.head, columns, rows, addsUp: columns.length > 1 }
}

function valuesOf(sums: DepartmentSums, metric: Metric, types: readonly string[]): (number | null)[] {
  return hasTypes(metric) ? types.map((type) => sums.by_type[metric]?.[type] ?? 0) : [sums[metric]]
}

/** One row per hour of the day; hours that are still to come have no number. */
export function hourTable(
  range: RangeFigures, before: RangeFigures | null, metric: Exclude<Metric, "inpatients">, runningHour: number | null,
  names: { title: string; head: string; now: string; before: string; running: (hour: string) => string },
): Table {
  const columns = [{ key: "now", label: names.now }]
  if (before) columns.push({ key: "before", label: names.before })
  const rows = range.hours[metric].map((n, hour) => {
    const now = runningHour !== null && hour > runningHour ? null : n
    const label = nameOf(hour)
    return { key: label, label, values: before ? [now, before.hours[metric][hour] ?? 0] : [now] }
  })
  const isEmpty = rows.every(({ values }) => values.every((n) => !n))
  const note = runningHour === null ? undefined : names.running(nameOf(runningHour))
  return { title: names.title, head: names.head, columns, rows: isEmpty ? [] : rows, addsUp: false, note }
}

const nameOf = (hour: number): string => `${String(hour).padStart(2, "0")}:00`

/** One row per day of the range; days nobody said anything of have no number. */
export function dayTable(range: RangeFigures, metric: Metric, names: Omit<Names, "type">): Table {
  const known = new Map(range.days.map((sums) => [sums.day, sums[metric]]))
  const rows = daysOf({ from: range.from_day, to: range.to_day }).map((day) => ({ ...dayRow(day), values: [known.get(day) ?? null] }))
  const isEmpty = rows.every(({ values }) => !values[0])
  return { title: names.title, head: names.head, columns: [{ key: metric, label: names.metric }], rows: isEmpty ? [] : rows, addsUp: false }
}

/** What a row of a day, or of a week from that day on, is called. */
export function dayRow(day: string): Omit<Row, "values"> {
  return { key: day, label: day.slice(5), whole: day }
}

export function rowSum({ values }: Row): number {
  return values.reduce<number>((sum, n) => sum + (n ?? 0), 0)
}

/** The first rows: what a chart has room for. The others as one would dwarf them. */
export function firstRows(table: Table, most: number): Table {
  return { ...table, rows: table.rows.slice(0, most) }
}

/** The table as a file that spreadsheets open: a mark for their sake, CRLF, and no cell they would run. */
export function csvOf(table: Table, total: string): string {
  const head = [table.head, ...table.columns.map(({ label }) => label), ...(table.addsUp ? [total] : [])]
  const rows = table.rows.map((row) => {
    const cells = [...row.values, ...(table.addsUp ? [rowSum(row)] : [])]
    return [cell(row.whole ?? row.label), ...cells.map((n) => (n === null ? "" : String(n)))]
  })
  return "\ufeff" + [head.map(cell), ...rows].map((cells) => cells.join(",")).join("\r\n") + "\r\n"
}

function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replace(/"/g, '""')}"` : harmless
}
