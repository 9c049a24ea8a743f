/* One box of mail as this page holds it: its newest rows without a hole, and up to which change of the
   mailbox they are right. Pure; each step answers a new box. */
import type { Arrived, Result } from "../../wire/shapes"

export type MailPage = Result<"mail.list">
export type MailRow = MailPage["rows"][number]
export type MailChange = Arrived<"mail.counted">
export type BoxName = "inbox" | "sent"

export interface Box {
  revision: number
  /** Newest first. */
  rows: MailRow[]
  /** Asks for older ones; null when there are none. */
  before: string | null
}

/** The mails of one thread within a box, as one line of a list. */
export interface ThreadLine {
  key: string
  newest: MailRow
  isUnread: boolean
}

const BOX_OF = { in: "inbox", out: "sent" } as const

export function boxOf(page: MailPage): Box {
  return { revision: page.revision, rows: page.rows, before: page.before ?? null }
}

/** The box with an older page below what it holds. */
export function continued(box: Box, page: MailPage): Box {
  const held = new Set(box.rows.map((row) => row.mail_id))
  const older = page.rows.filter((row) => !held.has(row.mail_id))
  return { ...box, rows: [...box.rows, ...older], before: page.before ?? null }
}

/** The box after a change; null when one before it was missed. */
export function changed(box: Box, name: BoxName, event: MailChange): Box | null {
  if (event.revision <= box.revision) return box
  if (event.revision > box.revision + 1) return null
  const gone = new Set(event.gone)
  const read = new Set(event.read)
  const again = new Set(event.unread_again)
  const rows = withRow(box, name, event)
    .filter((row) => !gone.has(row.mail_id))
    .map((row) => {
      const is_read = read.has(row.mail_id) || (row.is_read && !again.has(row.mail_id))
      const thread_count = row.thread_id === event.thread_id ? event.thread_count : row.thread_count
      return { ...row, is_read, thread_count }
    })
  return { revision: event.revision, rows, before: box.before }
}

function withRow(box: Box, name: BoxName, { row }: MailChange): MailRow[] {
  if (!row || BOX_OF[row.box] !== name) return box.rows
  const others = box.rows.filter((held) => held.mail_id !== row.mail_id)
  const isBelow = box.before !== null && row.order < box.before
  if (isBelow && others.length === box.rows.length) return box.rows
  const at = others.findIndex((held) => held.order < row.order)
  const place = at < 0 ? others.length : at
  return [...others.slice(0, place), row, ...others.slice(place)]
}

/** Changes that came while a page was on its way, and that it does not know of; null: one was missed. */
export function replayed(box: Box, name: BoxName, events: readonly MailChange[]): Box | null {
  return events.reduce<Box | null>((so_far, event) => so_far && changed(so_far, name, event), box)
}

/** What is shown at once while the server is asked: marked as read or unread, or gone. */
export function supposed(box: Box, threadId: string, change: { isRead?: boolean; isGone?: boolean; only?: string }): Box {
  const concerns = (row: MailRow): boolean => row.thread_id === threadId && (!change.only || row.mail_id === change.only)
  const rows = change.isGone
    ? box.rows.filter((row) => !concerns(row))
    : box.rows.map((row) => (concerns(row) ? { ...row, is_read: row.box === "out" || (change.isRead ?? row.is_read) } : row))
  return { ...box, rows }
}

/** One line for each thread, where its newest mail stands. */
export function threads(rows: readonly MailRow[]): ThreadLine[] {
  const lines = new Map<string, ThreadLine>()
  for (const row of rows) {
    const line = lines.get(row.thread_id)
    if (line) line.isUnread ||= !row.is_read
    else lines.set(row.thread_id, { key: row.thread_id, newest: row, isUnread: !row.is_read })
  }
  return [...lines.values()]
}
