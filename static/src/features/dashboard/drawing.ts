/* How a table becomes a drawing: what the chart library is told. Pure; colours and sizes come in. */
import type { EChartsCoreOption } from "echarts/core"
import type { Column, Table } from "./tables"

/** Columns stacked, the same lying down for narrow pages, or lines. */
export type Kind = "columns" | "bars" | "lines"

export interface Look {
  text: string
  second: string
  line: string
  card: string
  series: string[]
  font: string
  /** Pixels of a label. */
  size: number
  isStill: boolean
}

const MOTION_MS = 200
/** Rates are drawn against all there is, and end there. */
const WHOLE = { min: 0, max: 100, interval: 25 }
const BAR_ROOM = 2.6
/** Columns that each have their name below. */
const MOST_NAMED = 16

/** Pixels a drawing needs from top to bottom. */
export function heightOf(kind: Kind, rows: number, size: number): number {
  return kind === "bars" ? Math.round(rows * size * BAR_ROOM + size * 4) : Math.round(180 + size * 6)
}

export function drawingOf(table: Table, kind: Kind, hidden: ReadonlySet<string>, look: Look, width: number): EChartsCoreOption {
  const names = {
    type: "category",
    data: table.rows.map(({ label }) => label),
    inverse: kind === "bars",
    axisTick: { show: false },
    axisLine: { lineStyle: { color: look.line } },
    axisLabel: { ...letters(look), ...labels(kind, table.rows.length, look, width) },
  }
  const numbers = {
    type: "value",
    minInterval: 1,
    splitNumber: kind === "bars" ? 3 : 4,
    ...(table.isRate ? WHOLE : {}),
    axisLabel: { ...letters(look), hideOverlap: true, ...(table.isRate ? { formatter: "{value}%" } : {}) },
    splitLine: { lineStyle: { color: look.line } },
  }
  return {
    animation: !look.isStill,
    animationDuration: MOTION_MS,
    animationDurationUpdate: MOTION_MS,
    textStyle: { fontFamily: look.font },
    grid: { left: 4, right: 12, top: table.mark ? Math.round(12 + look.size * 1.5) : 12, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: {
      trigger: "axis",
      confine: true,
      transitionDuration: 0,
      ...(table.isRate ? { valueFormatter: (n: unknown) => (typeof n === "number" ? `${n}%` : "–") } : {}),
      axisPointer: { type: kind === "lines" ? "line" : "shadow" },
      backgroundColor: look.card,
      borderColor: look.line,
      textStyle: { color: look.text, fontSize: look.size, fontFamily: look.font },
    },
    xAxis: kind === "bars" ? numbers : names,
    yAxis: kind === "bars" ? names : numbers,
    series: table.columns
      .flatMap((column, at) => (hidden.has(column.key) ? [] : [series(table, column, at, kind, look)]))
      .map((one, at) => (at ? one : { ...one, ...marked(table, look) })),
  }
}

/** The colour of a column, in the drawing and in the legend; there are as many as tokens for them. */
export function colourOf(at: number, colours: string[]): string {
  return colours[at % colours.length] ?? ""
}

function series(table: Table, column: Column, at: number, kind: Kind, look: Look): object {
  const colour = colourOf(at, look.series)
  const shared = {
    id: column.key,
    name: column.label,
    data: table.rows.map(({ values }) => values[at] ?? null),
    itemStyle: { color: colour },
  }
  if (kind === "lines")
    return { ...shared, type: "line", symbolSize: 5, showSymbol: shared.data.some(isAlone), lineStyle: { color: colour, width: 2, type: at ? "dashed" : "solid" } }
  return {
    ...shared,
    type: "bar",
    stack: "all",
    barMaxWidth: 28,
    // A hairline keeps neighbours apart for whoever does not tell their colours apart.
    itemStyle: { color: colour, borderColor: look.card, borderWidth: 0.5 },
  }
}

/** A point without neighbours: a line does not show it. */
function isAlone(n: number | null, at: number, all: (number | null)[]): boolean {
  return n !== null && (all[at - 1] ?? null) === null && (all[at + 1] ?? null) === null
}

/** A line across the drawing where the table says that something began. */
function marked({ mark, rows }: Table, look: Look): object {
  if (!mark) return {}
  const at = rows.findIndex(({ key }) => key === mark.key)
  // Above the line; near an edge on the line's other side, where there is room.
  const part = at / Math.max(1, rows.length - 1)
  const align = part < 0.25 ? "left" : part > 0.75 ? "right" : "center"
  return {
    markLine: {
      silent: true,
      symbol: "none",
      label: { formatter: mark.label, color: look.text, fontSize: look.size, fontFamily: look.font, position: "end", distance: Math.round(look.size * 0.6), align },
      lineStyle: { color: look.second, type: "dotted", width: 2 },
      data: [{ xAxis: at }],
    },
  }
}

function letters(look: Look): object {
  return { color: look.second, fontSize: look.size, fontFamily: look.font }
}

/** Names break into lines rather than overlap; hours and many days leave some out. */
function labels(kind: Kind, rows: number, look: Look, width: number): object {
  const broken = { overflow: "break", interval: 0, lineHeight: look.size * 1.2 }
  if (kind === "bars") return { ...broken, width: look.size * 8 }
  if (kind === "lines" || rows > MOST_NAMED) return { hideOverlap: true }
  return { ...broken, width: Math.max(look.size * 2, (width - look.size * 4) / rows - 4) }
}
