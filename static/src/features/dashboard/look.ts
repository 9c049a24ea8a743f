/* Colours and sizes of the page at this moment, for what cannot read style sheets. */
import type { Look } from "./drawing"

export const SERIES = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"]

export function lookOf(): Look {
  const style = getComputedStyle(document.documentElement)
  const value = (name: string): string => style.getPropertyValue(name).trim()
  return {
    text: value("--text"),
    second: value("--second"),
    line: value("--line"),
    card: value("--card"),
    series: SERIES.map(value),
    font: value("--font"),
    size: parseFloat(value("--f-meta")),
    isStill: matchMedia("(prefers-reduced-motion: reduce)").matches,
  }
}
