/* What follows from what, without a screen: reasons in words, hours, choices. Pure. */
import type { Language } from "../../i18n"
import { clock, daysBetween, fullTime } from "../../i18n/times"
import type { Result } from "../../wire/shapes"
import { texts, type NoticeWord } from "./words"

export type Preferences = Result<"notices.preferences">
export type Period = Preferences["quiet"][number]
export type Road = Preferences["roads"][number]["road"]
export type Kind = Preferences["roads"][number]["kind"]
export type Item = Result<"notices.why">["items"][number]
export type Finding = Result<"notices.admin_test">["findings"][number]

export const MOST_PERIODS = 4
export const MOST_DIGESTS = 6
export const ROADS: Road[] = ["wecom", "digest", "app"]
const DAY_MINUTES = 1_440

function known(key: string, otherwise: NoticeWord): NoticeWord {
  return key in texts.zh ? (key as NoticeWord) : otherwise
}

/** Why a notice was sent, waits, or was not sent. */
export function reasonOf(item: Pick<Item, "state" | "why" | "refusal">): NoticeWord {
  if (item.state === "dead") return "why.dead"
  if (item.state === "refused") return known(`why.refused.${item.refusal}`, "why.refused.other")
  if (item.state === "sending") return "why.sending"
  if (item.state === "sent") return item.why === "digest" || item.why === "merged" ? "why.sent.digest" : "why.sent"
  return known(`why.${item.state}.${item.why}`, `why.${item.state}`)
}

export function kindWord(kind: string): NoticeWord {
  return known(`kind.${kind}`, "kind.other")
}

/** What a step of the connection test says about its cause; null when there is nothing to say. */
export function causeOf(found: Pick<Finding, "step" | "found" | "code" | "detail">): NoticeWord | null {
  if (found.step === "callback") return known(`cause.callback.${found.found}`, "cause.other")
  if (found.found === "good") return null
  if (found.step === "settings") return "cause.settings"
  if (found.step === "scope" && found.found === "unknown") return "cause.scope.unknown"
  return known(`cause.${found.code}`, "cause.other")
}

/** Minutes of the day as HH:MM, and back; null for what is no time. */
export function clockOf(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`
}

export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2}):(\d{2})/.exec(text)
  if (!found) return null
  const minute = Number(found[1]) * 60 + Number(found[2])
  return minute < DAY_MINUTES ? minute : null
}

/** How a period's end is to be read: the same day, the next, or a whole day later. */
export function endsWhen(period: Pick<Period, "begins" | "ends">): "same" | "next_day" | "whole_day" {
  if (period.begins === period.ends) return "whole_day"
  return period.ends < period.begins ? "next_day" : "same"
}

/** Another choice for one thing among several; the last one stays, if there has to be one. */
export function toggled(values: readonly number[], value: number, least = 0): number[] {
  if (!values.includes(value)) return [...values, value].sort((a, b) => a - b)
  return values.length > least ? values.filter((one) => one !== value) : [...values]
}

export function withRoad(preferences: Preferences, kind: Kind, road: Road): Preferences {
  return { ...preferences, roads: preferences.roads.map((one) => (one.kind === kind ? { kind, road } : one)) }
}

export function withPeriod(preferences: Preferences, at: number, change: Partial<Period>): Preferences {
  return { ...preferences, quiet: preferences.quiet.map((one, index) => (index === at ? { ...one, ...change } : one)) }
}

export const NIGHT: Period = { days: [0, 1, 2, 3, 4, 5, 6], begins: 22 * 60, ends: 7 * 60 }

/** Moments of a day as it is typed into a filter: its beginning, or the end of it. */
export function dayMoment(text: string, end = false): number {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!found) return 0
  return new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3]) + (end ? 1 : 0)).getTime()
}

/** A moment that may lie ahead: what comes tomorrow or later says so. */
export function moment(at: number, now: number, language: Language): string {
  const ahead = -daysBetween(at, now)
  if (ahead <= 0) return fullTime(at, now, language)
  if (ahead === 1) return texts[language]["tomorrow"].replace("{time}", clock(at))
  const date = new Date(at)
  return `${date.getMonth() + 1}-${date.getDate()} ${clock(at)}`
}
