/* Days and hours of the hospital's zone, and the ranges of days that may be looked at. Pure: the
   moment and the zone come in; a day is "2026-11-23", so that days compare as strings do. */

export interface Days {
  from: string
  to: string
}
export const RANGES = ["today", "week", "month", "custom"] as const
export type RangeName = (typeof RANGES)[number]

/** The server answers no more at once. */
export const MOST_DAYS = 400
const DAY_MS = 86_400_000
const LENGTHS = { today: 1, week: 7, month: 30 }

interface Parts {
  day: string
  hour: number
  minute: number
  second: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const two = "2-digit" as const
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, year: "numeric", month: two, day: two, hour: two, minute: two, second: two, hour12: false,
  })
  formats.set(zone, made)
  return made
}

/** What calendar and clock of the zone show at a moment. */
export function partsIn(zone: string, at: number): Parts {
  const parts = Object.fromEntries(formatOf(zone).formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    day: `${parts["year"]}-${parts["month"]}-${parts["day"]}`,
    hour: Number(parts["hour"]) % 24,
    minute: Number(parts["minute"]),
    second: Number(parts["second"]),
  }
}

const two = (value: number): string => String(value).padStart(2, "0")

/** A time of the zone to the second; with its day when that is not `today`. */
export function timeIn(zone: string, at: number, today: string): string {
  const { day, hour, minute, second } = partsIn(zone, at)
  const time = `${two(hour)}:${two(minute)}:${two(second)}`
  return day === today ? time : `${day.slice(5)} ${time}`
}

export function plusDays(day: string, n: number): string {
  return new Date(Date.parse(day) + n * DAY_MS).toISOString().slice(0, 10)
}

/** How many days there are, both ends included. */
export function countOf({ from, to }: Days): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1
}

/** Each of the days. */
export function daysOf(days: Days): string[] {
  return Array.from({ length: countOf(days) }, (_, n) => plusDays(days.from, n))
}

/** The days of a range that ends today. */
export function rangeOf(name: Exclude<RangeName, "custom">, today: string): Days {
  return { from: plusDays(today, 1 - LENGTHS[name]), to: today }
}

/** The same weekdays before: as many whole weeks back as it takes not to overlap. */
export function weeksBefore({ from, to }: Days): Days & { weeks: number } {
  const weeks = Math.ceil(countOf({ from, to }) / 7)
  return { from: plusDays(from, -7 * weeks), to: plusDays(to, -7 * weeks), weeks }
}

export type Problem = "incomplete" | "reversed" | "future" | "too_long"

/** Why these days cannot be asked for; null when they can. */
export function problemOf({ from, to }: Days, today: string): Problem | null {
  if (!from || !to) return "incomplete"
  if (from > to) return "reversed"
  if (to > today) return "future"
  return countOf({ from, to }) > MOST_DAYS ? "too_long" : null
}
