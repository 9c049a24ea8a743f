/* Amounts, dates, sizes and spans of time as people read them. Pure. */
import type { Language } from "../../i18n"

const NUMBER = /^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$/

/** Thousands apart, and money to the cent; what is no number stays as it is. */
export function amount(text: string, kind: "money" | "number"): string {
  const bare = text.trim()
  if (!NUMBER.test(bare)) return text
  const [whole = "", cents = ""] = bare.replace(/,/g, "").split(".")
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",")
  // Cents that the OA tells are all shown: rounding is not ours to do.
  const decimals = kind === "money" ? cents.padEnd(2, "0") : cents
  return decimals ? `${grouped}.${decimals}` : grouped
}

const WEEKDAYS = {
  zh: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
  en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
}

/** A date with its weekday. */
export function day(text: string, language: Language): string {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text.trim())
  if (!found) return text
  const [, year, month, date] = found.map(Number) as [number, number, number, number]
  const at = new Date(year, month - 1, date)
  return at.getMonth() === month - 1 ? `${text.trim()} ${WEEKDAYS[language][at.getDay()]}` : text
}

const KIB = 1024

export function fileSize(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`
  if (bytes < KIB * KIB) return `${rounded(bytes / KIB)} KB`
  return `${rounded(bytes / KIB / KIB)} MB`
}

function rounded(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value))
}

export interface Span {
  unit: "moment" | "minutes" | "hours" | "days"
  n: number
  /** The next smaller unit of hours and days. */
  rest: number
}

const MINUTE_MS = 60_000

/** How long something took or has been waiting, in two units at most. */
export function span(ms: number): Span {
  const minutes = Math.max(0, Math.floor(ms / MINUTE_MS))
  if (!minutes) return { unit: "moment", n: 0, rest: 0 }
  if (minutes < 60) return { unit: "minutes", n: minutes, rest: 0 }
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return { unit: "hours", n: hours, rest: minutes % 60 }
  return { unit: "days", n: Math.floor(hours / 24), rest: hours % 24 }
}
