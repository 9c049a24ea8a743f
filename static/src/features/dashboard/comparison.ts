/* A live number against yesterday at the same hour. Pure. Of yesterday there are only whole hours, so
   the hour that is running counts by the share of it that has passed. */
import { partsIn } from "./days"
import type { Metric } from "./figures"
import type { RangeFigures } from "./shapes"

export interface Change {
  /** What yesterday had by now, as far as whole hours tell. */
  before: number
  difference: number
  /** In whole percent; null where so few make percent mean nothing. */
  percent: number | null
}

const FEW = 20

/** The time of day that the newest figure is of: when it is of an earlier day, today has only begun. */
export function timeOfDay(zone: string, at: number, today: string): { hour: number; minute: number } {
  const { day, hour, minute } = partsIn(zone, at)
  return day < today ? { hour: 0, minute: 0 } : { hour, minute }
}

/** What yesterday had by this time of day; null when nobody said. */
export function byThen(yesterday: RangeFigures, metric: Metric, hour: number, minute: number): number | null {
  if (!yesterday.days.length) return null
  if (metric === "inpatients") return readingBy(yesterday, hour)
  const hours = yesterday.hours[metric]
  const whole = hours.slice(0, hour).reduce((sum, n) => sum + n, 0)
  return Math.round(whole + ((hours[hour] ?? 0) * minute) / 60)
}

export function changeOf(now: number, before: number): Change {
  const difference = now - before
  return { before, difference, percent: before < FEW ? null : Math.round((difference / before) * 100) }
}

/** A level does not add up: the reading of that hour, or the day's last where hours have none. */
function readingBy({ hours, days }: RangeFigures, hour: number): number | null {
  return hours.inpatients[hour] ?? days[days.length - 1]?.inpatients ?? null
}
