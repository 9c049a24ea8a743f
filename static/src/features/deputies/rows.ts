/* Other people's documents among one's own: what the rows of the list are. */
import type { Result, Todo } from "../../wire/shapes"

export type Deputed = Result<"deputies.todos">
export type DeputedItem = Deputed["items"][number]
/** A row of the list; `for_person` is whose it is when it is not one's own. */
export type Row = Todo & { for_person?: string }

/** As a row of the list: nothing can be approved from there for somebody else. */
export function rowOf(item: DeputedItem): Row {
  return { ...item, may_approve: false, urged_by: "", urged_at: null, urged_words: "" }
}

/** One list for two people may hold the same document. */
export function keyOf(row: Row): string {
  return row.for_person ? `${row.for_person} ${row.item_id}` : row.item_id
}

/** Both together, newest first. While more of the own ones is to come, what is older than the last of
    them waits: a later page may hold what belongs before it. */
export function merged(own: Row[], others: Row[], isWhole: boolean): Row[] {
  const last = own[own.length - 1]?.received_at ?? 0
  const fitting = isWhole || !own.length ? others : others.filter((row) => (row.received_at ?? 0) >= last)
  const rows: Row[] = []
  let at = 0
  for (const mine of own) {
    for (let other = fitting[at]; other && (other.received_at ?? 0) > (mine.received_at ?? 0); other = fitting[at]) {
      rows.push(other)
      at++
    }
    rows.push(mine)
  }
  return [...rows, ...fitting.slice(at)]
}

/** A day so many days after another, both as YYYY-MM-DD. */
export function dayAfter(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + days)
  return date.toISOString().slice(0, 10)
}
