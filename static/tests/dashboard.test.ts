import { describe, expect, it } from "vitest"
import { byThen, changeOf, timeOfDay } from "../src/features/dashboard/comparison"
import { byDepartment, byType, dayOf, folded, nothing, remembered, restarted, total } from "../src/features/dashboard/figures"
import { signed, spoken } from "../src/features/dashboard/numbers"
import { paced } from "../src/features/dashboard/pace"
import { drawingOf, type Look } from "../src/features/dashboard/drawing"
import { csvOf, dayTable, departmentTable, firstRows, hourTable } from "../src/features/dashboard/tables"
import { countOf, daysOf, partsIn, plusDays, problemOf, rangeOf, timeIn, weeksBefore } from "../src/features/dashboard/days"
import type { Figures, RangeFigures, RegistrationType, Source } from "../src/features/dashboard/shapes"

const ZONE = "Asia/Shanghai"
const TODAY = "2026-11-23"
const TYPES: RegistrationType[] = ["general", "expert", "special", "emergency", "online"]

function figures(department_id: string, registered: Record<string, number>, more: Partial<Figures> = {}): Figures {
  return { kind: "figures", department_id, day: TODAY, registered, seen: {}, called: {}, operations: 0, inpatients: null, ...more }
}
function source(as_of: number, stale = false): Source {
  return { kind: "source", as_of, stale, period_ms: 10_000 }
}
const values = (...all: Figures[]): Record<string, Figures> => Object.fromEntries(all.map((one) => [one.department_id, one]))

describe("live figures", () => {
  it("are the newest of each department, whatever else an event leaves out", () => {
    const first = folded(nothing(), values(figures("a", { general: 3 }), figures("b", { expert: 4 })), 1)
    const then = folded(first, { ...values(figures("b", { expert: 5 })), source: source(7) }, 2)

    expect(total(then, "registered")).toBe(8)
    expect(then.source?.value.as_of).toBe(7)
  })

  it("do not go back when something older comes later", () => {
    const newer = folded(nothing(), { ...values(figures("a", { general: 9 })), source: source(9) }, 5)
    const live = folded(newer, { ...values(figures("a", { general: 8 })), source: source(8) }, 4)

    expect(total(live, "registered")).toBe(9)
    expect(live.source?.value.as_of).toBe(9)
  })

  it("begin again with what the channel answers and what arrived since it was read", () => {
    const before = folded(folded(nothing(), values(figures("gone", { general: 1 }), figures("a", { general: 1 })), 3), values(figures("b", { general: 7 })), 6)
    const live = restarted(before, [values(figures("a", { general: 2 })), values(figures("b", { general: 6 }))], 5)

    expect(byDepartment(live, "registered")).toEqual([{ key: "b", n: 7 }, { key: "a", n: 2 }])
  })

  it("that were kept give way to anything that is told", () => {
    const kept = remembered(folded(nothing(), values(figures("a", { general: 5 })), 99))

    expect(total(folded(kept, values(figures("a", { general: 1 })), 2), "registered")).toBe(1)
  })

  it("count nothing of yesterday once somebody's day is today, but who lies in bed stays", () => {
    const yesterday = figures("a", { general: 50 }, { day: "2026-11-22", inpatients: 30 })
    const live = folded(nothing(), values(yesterday, figures("b", { general: 1 }, { inpatients: 4 })), 1)

    expect(dayOf(live)).toBe(TODAY)
    expect([total(live, "registered"), total(live, "inpatients")]).toEqual([1, 34])
    expect(byType(live, "registered", TYPES).map(({ n }) => n)).toEqual([1, 0, 0, 0, 0])
  })

  it("are no number rather than 0 while nobody has said one", () => {
    expect(total(nothing(), "registered")).toBeNull()
    expect(total(folded(nothing(), values(figures("a", {})), 1), "inpatients")).toBeNull()
  })
})

function range(more: Partial<RangeFigures> = {}): RangeFigures {
  const zeros = Array<number>(24).fill(0)
  return {
    from_day: "2026-11-22", to_day: "2026-11-22", days: [], departments: [], as_of: 0,
    hours: { registered: zeros, seen: zeros, called: zeros, operations: zeros, inpatients: Array<null>(24).fill(null) },
    ...more,
  }
}
const day = (name: string, n: number, inpatients: number | null = null): RangeFigures["days"][number] => ({ day: name, registered: n, seen: n, called: n, operations: n, inpatients })
const hourly = (numbers: Record<number, number>): number[] => Array.from({ length: 24 }, (_, hour) => numbers[hour] ?? 0)

describe("yesterday at the same hour", () => {
  it("is whole hours in full and the running one by its minutes", () => {
    const yesterday = range({ days: [day("2026-11-22", 160)], hours: { ...range().hours, registered: hourly({ 7: 20, 8: 100, 9: 40 }) } })

    expect([byThen(yesterday, "registered", 8, 0), byThen(yesterday, "registered", 8, 15), byThen(yesterday, "registered", 9, 30)]).toEqual([20, 45, 140])
  })

  it("is unknown, not 0, when nobody said anything yesterday", () => {
    expect(byThen(range(), "registered", 8, 0)).toBeNull()
  })

  it("is the reading of that hour for who is in hospital, or else the day's last", () => {
    const readings = hourly({ 8: 310 }).map((n) => n || null)
    const told = range({ days: [day("2026-11-22", 1, 300)], hours: { ...range().hours, inpatients: readings } })

    expect([byThen(told, "inpatients", 8, 59), byThen(told, "inpatients", 9, 0)]).toEqual([310, 300])
  })

  it("is said in percent only where there are enough to speak of percent", () => {
    expect(changeOf(30, 24)).toEqual({ before: 24, difference: 6, percent: 25 })
    expect(changeOf(3, 1).percent).toBeNull()
  })

  it("is by the time of the last figure, and by midnight when that is of the day before", () => {
    const at = Date.parse("2026-11-23T09:41:00+08:00")

    expect(timeOfDay(ZONE, at, TODAY)).toEqual({ hour: 9, minute: 41 })
    expect(timeOfDay(ZONE, at, "2026-11-24")).toEqual({ hour: 0, minute: 0 })
  })
})

describe("days of the hospital", () => {
  it("begin at its own midnight", () => {
    expect(partsIn(ZONE, Date.parse("2026-11-22T16:00:05Z"))).toEqual({ day: TODAY, hour: 0, minute: 0, second: 5 })
    expect(timeIn(ZONE, Date.parse("2026-11-22T15:59:05Z"), TODAY)).toBe("11-22 23:59:05")
    expect(timeIn(ZONE, Date.parse("2026-11-22T16:59:05Z"), TODAY)).toBe("00:59:05")
  })

  it("count over months and leap days", () => {
    expect([plusDays("2028-02-28", 1), plusDays("2026-01-01", -1)]).toEqual(["2028-02-29", "2025-12-31"])
    expect(countOf({ from: "2026-10-25", to: TODAY })).toBe(30)
    expect(daysOf({ from: "2026-02-27", to: "2026-03-01" })).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"])
  })

  it("end today in every ready-made range", () => {
    expect([rangeOf("today", TODAY), rangeOf("week", TODAY), rangeOf("month", TODAY)].map(countOf)).toEqual([1, 7, 30])
  })

  it("are compared with the same weekdays, as many weeks back as keep both apart", () => {
    expect(weeksBefore({ from: TODAY, to: TODAY })).toEqual({ from: "2026-11-16", to: "2026-11-16", weeks: 1 })
    expect(weeksBefore(rangeOf("month", TODAY))).toEqual({ from: "2026-09-20", to: "2026-10-19", weeks: 5 })
  })

  it("that cannot be asked for are named", () => {
    const why = (from: string, to: string): string | null => problemOf({ from, to }, TODAY)

    expect([why("", TODAY), why(TODAY, "2026-11-22"), why(TODAY, "2026-11-24"), why("2025-01-01", TODAY), why("2026-11-01", TODAY)]).toEqual(["incomplete", "reversed", "future", "too_long", null])
  })
})

const names = { title: "各科室挂号", head: "科室", metric: "挂号", type: (key: string) => key }
const hourNames = { title: "", head: "", now: "", before: "", running: (hour: string) => `${hour} runs` }
function department(id: string, general: number, expert = 0): RangeFigures["departments"][number] {
  const registered = { ...(general ? { general } : {}), ...(expert ? { expert } : {}) }
  return { department_id: id, name: id.toUpperCase(), registered: general + expert, seen: 0, called: 0, operations: 2, inpatients: null, by_type: { registered } }
}

describe("tables", () => {
  it("of departments have the largest first, only types that occur, and no department without any", () => {
    const table = departmentTable(range({ departments: [department("a", 1), department("b", 2, 3), department("c", 0)] }), "registered", TYPES, names)

    expect(table.columns.map(({ key }) => key)).toEqual(["general", "expert"])
    expect(table.rows.map(({ label, values }) => [label, ...values])).toEqual([["B", 2, 3], ["A", 1, 0]])
    expect(firstRows(table, 1).rows.map(({ key }) => key)).toEqual(["b"])
  })

  it("of what has no types have one column, and say that a reading is missing", () => {
    const told = range({ departments: [department("a", 1)] })

    expect(departmentTable(told, "operations", TYPES, names)).toMatchObject({ columns: [{ label: "挂号" }], rows: [{ values: [2] }], addsUp: false })
    expect(departmentTable(told, "inpatients", TYPES, names).rows).toEqual([])
  })

  it("of hours end with the hour that is running and compare with all of the other day", () => {
    const hours = { ...range().hours, registered: hourly({ 8: 5, 9: 2 }) }
    const table = hourTable(range({ hours }), range({ hours }), "registered", 8, hourNames)

    expect(table.rows.slice(8, 10).map(({ values }) => values)).toEqual([[5, 5], [null, 2]])
    expect(table.note).toBe("08:00 runs")
  })

  it("of a range without any number are empty", () => {
    const none = range({ from_day: "2026-11-01", to_day: "2026-11-03" })

    expect(hourTable(none, none, "registered", null, hourNames).rows).toEqual([])
    expect(dayTable(none, "registered", names).rows).toEqual([])
    expect(departmentTable(none, "registered", TYPES, names).rows).toEqual([])
  })

  it("of days have every day of the range, also those nobody spoke of", () => {
    const told = range({ from_day: "2026-11-01", to_day: "2026-11-03", days: [day("2026-11-02", 6)] })

    expect(dayTable(told, "registered", names).rows.map(({ label, values }) => [label, values[0]])).toEqual([["11-01", null], ["11-02", 6], ["11-03", null]])
  })

  it("of days name the year in rows and file: a spreadsheet takes 12-31 for one of this year", () => {
    const told = range({ from_day: "2025-12-31", to_day: "2026-01-01", days: [day("2025-12-31", 6), day("2026-01-01", 7)] })

    expect(csvOf(dayTable(told, "registered", names), "")).toMatch(/2025-12-31,6\r\n2026-01-01,7\r\n$/)
  })

  it("become a file with a mark, quoted where needed, and nothing a spreadsheet would run", () => {
    const table = departmentTable(range({ departments: [department("=1+1", 4, 1), department('x,"y"', 2)] }), "registered", TYPES, names)

    expect(csvOf(table, "合计")).toBe('\ufeff科室,general,expert,合计\r\n\'=1+1,4,1,5\r\n"X,""Y""",2,0,2\r\n')
  })
})

describe("a drawing", () => {
  const look: Look = { text: "", second: "", line: "", card: "", series: ["red", "blue"], font: "", size: 12, isStill: true }
  const table = departmentTable(range({ departments: [department("a", 1), department("b", 2, 3)] }), "registered", TYPES, names)
  interface Drawn {
    animation: boolean
    series: { id: string; data: (number | null)[]; itemStyle: { color: string } }[]
    yAxis: { type: string; data?: string[] }
  }

  it("holds the very numbers of its table", () => {
    const { series, animation } = drawingOf(table, "columns", new Set(), look, 400) as unknown as Drawn

    expect(series.map(({ id, data }) => [id, ...data])).toEqual([["general", 2, 1], ["expert", 3, 0]])
    expect(animation).toBe(false)
  })

  it("leaves out what was turned off and keeps everybody's colour", () => {
    const { series } = drawingOf(table, "columns", new Set(["general"]), look, 400) as unknown as Drawn

    expect(series.map(({ id, itemStyle }) => [id, itemStyle.color])).toEqual([["expert", "blue"]])
  })

  it("ends rates at the whole, and shows a point that stands alone", () => {
    interface Rates { series: { showSymbol: boolean }[]; yAxis: { min: number; max: number; axisLabel: { formatter: string } } }
    const rates = (values: (number | null)[]): Rates => {
      const rows = values.map((n, at) => ({ key: String(at), label: String(at), values: [n] }))
      const shares = { title: "", head: "", columns: [{ key: "read", label: "" }], rows, addsUp: false, isRate: true }
      return drawingOf(shares, "lines", new Set(), look, 400) as unknown as Rates
    }

    expect(rates([80, 100]).yAxis).toMatchObject({ min: 0, max: 100, axisLabel: { formatter: "{value}%" } })
    expect([rates([80, 100]), rates([null, 100, null])].map(({ series }) => series[0]?.showSymbol)).toEqual([false, true])
  })

  it("lies on its side on narrow pages", () => {
    const { yAxis } = drawingOf(table, "bars", new Set(), look, 400) as unknown as Drawn

    expect(yAxis).toMatchObject({ type: "category", data: ["B", "A"] })
  })
})

describe("digits", () => {
  it("are grouped, with a sign where a change is meant", () => {
    expect([spoken(12_345), spoken(null), signed(7), signed(-1_200), signed(0)]).toEqual(["12,345", "–", "+7", "−1,200", "±0"])
    expect([spoken(12, 1), spoken(0.48, 1)]).toEqual(["12.0", "0.5"])
  })

  it("change at most once in a time, and end with the newest", async () => {
    const shown: number[] = []
    const last = new Promise<void>((resolve) => {
      const pace = paced<number>((n) => (shown.push(n), n === 4 && resolve()), 20)
      for (const n of [1, 2, 3, 4]) pace.tell(n)
    })
    await last

    expect(shown).toEqual([1, 4])
  })
})
