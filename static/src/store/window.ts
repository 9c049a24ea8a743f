/* The stretch of one conversation that this page holds: messages in order without a hole, and
   whether there is more on either side. Pure; each step answers a new stretch. */
import type { Message } from "../wire/shapes"
import { recalled } from "./unread"

export interface Stretch {
  messages: Message[]
  hasOlder: boolean
  hasNewer: boolean
}

export const NOTHING: Stretch = { messages: [], hasOlder: true, hasNewer: false }

export function firstSeq(stretch: Stretch): number {
  return stretch.messages[0]?.seq ?? 0
}

export function lastSeq(stretch: Stretch): number {
  return stretch.messages[stretch.messages.length - 1]?.seq ?? 0
}

export function contains(stretch: Stretch, seq: number): boolean {
  return stretch.messages.length > 0 && firstSeq(stretch) <= seq && seq <= lastSeq(stretch)
}

export function withOlder(stretch: Stretch, older: Message[], hasMore: boolean): Stretch {
  const first = firstSeq(stretch)
  const fresh = first ? older.filter((message) => message.seq < first) : older
  return { ...stretch, messages: [...fresh, ...stretch.messages], hasOlder: hasMore }
}

export function withNewer(stretch: Stretch, newer: Message[], hasMore: boolean): Stretch {
  const last = lastSeq(stretch)
  const fresh = newer.filter((message) => message.seq > last)
  return { ...stretch, messages: [...stretch.messages, ...fresh], hasNewer: hasMore }
}

/** A message that just came: at the end, in its old place, or a sign that there is more. */
export function withArrived(stretch: Stretch, message: Message): Stretch {
  const last = lastSeq(stretch)
  if (contains(stretch, message.seq)) return replaced(stretch, message.seq, () => message)
  if (message.seq < last) return stretch
  const follows = last ? message.seq === last + 1 : message.seq === 1
  if (!follows || stretch.hasNewer) return { ...stretch, hasNewer: true }
  return { ...stretch, messages: [...stretch.messages, message] }
}

export function withRecalled(stretch: Stretch, seq: number, at: number): Stretch {
  if (!contains(stretch, seq)) return stretch
  return replaced(stretch, seq, (message) => recalled(message, at))
}

function replaced(stretch: Stretch, seq: number, change: (message: Message) => Message): Stretch {
  return {
    ...stretch,
    messages: stretch.messages.map((message) => (message.seq === seq ? change(message) : message)),
  }
}

/** What is worth keeping for the next visit: the newest messages, if the end is held at all. */
export function tail(stretch: Stretch, count: number): Stretch | null {
  if (stretch.hasNewer || !stretch.messages.length) return null
  const messages = stretch.messages.slice(-count)
  const cut = messages.length < stretch.messages.length
  return { messages, hasOlder: cut || stretch.hasOlder, hasNewer: false }
}
