/* The rows of a chat: messages and what stands between them. Pure. */
import { needsTime } from "../../i18n/times"
import type { Entry } from "../../store/outbox_queue"
import type { SystemLine } from "../../store/system_lines"
import type { Message } from "../../wire/shapes"

interface Spoken {
  key: string
  isMine: boolean
  /** First of a run by the same person: shows face and name. */
  isFirst: boolean
  /** Last of a run: shows the receipt. */
  isLast: boolean
}
export type MessageRow = Spoken & { kind: "message"; message: Message }
export type PendingRow = Spoken & { kind: "pending"; entry: Entry }
export type Row =
  | MessageRow
  | PendingRow
  | { key: string; kind: "time"; at: number }
  | { key: string; kind: "divider" }
  | { key: string; kind: "system"; line: SystemLine }
  | { key: string; kind: "recalled"; message: Message }
  | { key: string; kind: "start" }
  | { key: string; kind: "older" }
  | { key: string; kind: "newer" }

export interface Told {
  messages: Message[]
  lines: SystemLine[]
  entries: Entry[]
  myId: string
  /** The first message that was unread when the chat was opened; 0 for none. */
  firstUnread: number
  hasOlder: boolean
  hasNewer: boolean
}

export const DIVIDER_KEY = "divider"

export function messageKey(message: Pick<Message, "seq" | "sender_id" | "client_id">, myId: string): string {
  return message.sender_id === myId ? `w${message.client_id}` : `m${message.seq}`
}

export function rowsOf(told: Told): Row[] {
  const { messages, entries, myId, firstUnread, hasOlder, hasNewer } = told
  const rows: Row[] = [hasOlder ? { key: "older", kind: "older" } : { key: "start", kind: "start" }]
  const first = messages[0]?.sent_at ?? 0
  const last = messages[messages.length - 1]?.sent_at ?? 0
  const lines = told.lines.filter(
    (line) => (!hasOlder || line.at >= first) && (!hasNewer || line.at <= last),
  )
  let nextLine = 0
  let lastAt: number | undefined
  let run: Spoken | null = null
  let runOf = ""

  const breakRun = (): void => {
    run = null
    runOf = ""
  }
  const timeBefore = (at: number, key: string): void => {
    if (needsTime(lastAt, at)) {
      rows.push({ key: `t${key}`, kind: "time", at })
      breakRun()
    }
    lastAt = at
  }
  const linesUntil = (at: number): void => {
    for (; nextLine < lines.length && (lines[nextLine] as SystemLine).at <= at; nextLine++) {
      const line = lines[nextLine] as SystemLine
      timeBefore(line.at, line.key)
      rows.push({ key: `s${line.key}`, kind: "system", line })
      breakRun()
    }
  }
  const spoken = <R extends Spoken>(row: R, by: string): R => {
    if (run && runOf === by) {
      row.isFirst = false
      run.isLast = false
    }
    run = row
    runOf = by
    return row
  }

  let isDivided = firstUnread === 0
  for (const message of messages) {
    linesUntil(message.sent_at)
    const isMine = message.sender_id === myId
    if (!isDivided && message.seq >= firstUnread) {
      isDivided = true
      rows.push({ key: DIVIDER_KEY, kind: "divider" })
      breakRun()
    }
    timeBefore(message.sent_at, String(message.seq))
    const key = messageKey(message, myId)
    if (message.content.kind === "recalled") {
      rows.push({ key, kind: "recalled", message })
      breakRun()
    } else {
      const row: MessageRow = { key, kind: "message", message, isMine, isFirst: true, isLast: true }
      rows.push(spoken(row, message.sender_id))
    }
  }
  if (!hasNewer) linesUntil(Number.MAX_SAFE_INTEGER)
  else if (entries.length) {
    // What was written waits at the end, though what lies between is not here.
    rows.push({ key: "newer", kind: "newer" })
    breakRun()
  }
  for (const entry of entries) {
    timeBefore(Math.max(entry.created_at, lastAt ?? 0), entry.client_id)
    const key = `w${entry.client_id}`
    const row: PendingRow = { key, kind: "pending", entry, isMine: true, isFirst: true, isLast: true }
    rows.push(spoken(row, myId))
  }
  return rows
}

/** The newest message among the rows up to and including this one; 0 for none. */
export function seqUpTo(rows: readonly Row[], index: number): number {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at--) {
    const row = rows[at]
    if (row?.kind === "message" || row?.kind === "recalled") return row.message.seq
  }
  return 0
}
