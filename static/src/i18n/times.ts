/* Times as people say them. Pure: the moment, the present and the language come in. */
import type { Language } from "./index"

const MINUTE = 60_000
const DAY = 86_400_000
const WEEKDAYS = {
  zh: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
  en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
}
const WORDS = {
  zh: { now: "刚刚", yesterday: "昨天" },
  en: { now: "now", yesterday: "Yesterday" },
}

const two = (value: number): string => String(value).padStart(2, "0")

export function clock(at: number): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

function monthDay(at: number): string {
  const date = new Date(at)
  return `${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** Whole days between two moments, by the calendar. */
export function daysBetween(at: number, now: number): number {
  const midnight = (moment: number): number => new Date(moment).setHours(0, 0, 0, 0)
  return Math.round((midnight(now) - midnight(at)) / DAY)
}

function dayWord(at: number, now: number, language: Language): string {
  const days = daysBetween(at, now)
  if (days <= 0) return ""
  if (days === 1) return WORDS[language].yesterday
  if (days < 7) return WEEKDAYS[language][new Date(at).getDay()] ?? ""
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return sameYear ? monthDay(at) : `${new Date(at).getFullYear()}-${monthDay(at)}`
}

/** In a list: 刚刚, HH:mm, 昨天, 周三, MM-DD. */
export function listTime(at: number, now: number, language: Language): string {
  if (Math.abs(now - at) < MINUTE) return WORDS[language].now
  return dayWord(at, now, language) || clock(at)
}

/** Between messages and in details: HH:mm, 昨天 HH:mm, 周三 HH:mm, MM-DD HH:mm. */
export function fullTime(at: number, now: number, language: Language): string {
  return `${dayWord(at, now, language)} ${clock(at)}`.trim()
}

const GAP_WORTH_A_TIME = 5 * MINUTE

export function needsTime(previous: number | undefined, at: number): boolean {
  return previous === undefined || at - previous > GAP_WORTH_A_TIME
}
