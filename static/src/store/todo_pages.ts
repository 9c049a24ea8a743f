/* Pages of a list of to-dos, put together: read from the top again and again, and held further down. */
import type { Result, Todo } from "../wire/shapes"

type Page = Result<"todos.list">

export interface TodoList {
  items: Todo[]
  /** So many of them were read the last time; those behind are from before. */
  fresh?: number
  /** No further page is to come. */
  isWhole: boolean
  page: number
  asOf: number | null
  stale: boolean
}

/** Rows of a full page. */
const ROWS = 20
/** Pages that are read again when something moved. */
export const MOST_AGAIN = 5

/** The OA could not be asked for this page, and nothing of it is known from before. */
export function isUnknown(page: Page): boolean {
  return page.as_of === null && page.stale
}

export function beginning(list: TodoList): TodoList {
  return { ...list, items: list.items.slice(0, ROWS), fresh: ROWS, page: 1, isWhole: list.isWhole && list.page === 1 }
}

/** The rows that were read, and the next page; what was behind them comes back by `followed`. */
export function continued(list: TodoList | undefined, answer: Page, page: number): TodoList {
  const before = list?.items.slice(0, list.fresh) ?? []
  const known = new Set(before.map((item) => item.item_id))
  const items = [...before, ...answer.items.filter((item) => !known.has(item.item_id))]
  const isWhole = answer.items.length < ROWS || (answer.total !== null && items.length >= answer.total)
  return { items, fresh: items.length, isWhole, page, asOf: answer.as_of, stale: answer.stale }
}

/** With the rows from before that stand further down, so that whoever is there stays there. They are read
    again page by page as one goes on. */
export function followed(list: TodoList, before: TodoList | undefined): TodoList {
  const last = list.items[list.items.length - 1]?.received_at
  if (list.isWhole || !before || typeof last !== "number") return list
  const known = new Set(list.items.map(({ item_id }) => item_id))
  const later = before.items.filter((item) => !known.has(item.item_id) && (item.received_at ?? 0) <= last)
  return later.length ? { ...list, items: [...list.items, ...later] } : list
}
