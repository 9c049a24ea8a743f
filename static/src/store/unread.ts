/* What an event does to a conversation as it stands in the list. Pure: a conversation goes in,
   another comes out. Unread is always derived, last_seq − read_seq, never counted along. */
import type { Conversation, Message } from "../wire/shapes"

export const EVERYONE = "all"

export function mentions(message: Message, personId: string): boolean {
  const content = message.content
  if (content.kind !== "text" || message.sender_id === personId) return false
  return (content.mentions ?? []).some((who) => who === personId || who === EVERYONE)
}

function derived(conversation: Conversation): Conversation {
  const unread = Math.max(0, conversation.last_seq - conversation.read_seq)
  return { ...conversation, unread, mentioned: conversation.mentioned && unread > 0 }
}

export function afterSent(
  conversation: Conversation,
  message: Message,
  myId: string,
): Conversation {
  if (message.seq < conversation.last_seq) return conversation
  const mine = message.sender_id === myId
  return derived({
    ...conversation,
    last_seq: message.seq,
    last_message: message,
    read_seq: mine ? Math.max(conversation.read_seq, message.seq) : conversation.read_seq,
    mentioned: conversation.mentioned || mentions(message, myId),
  })
}

export function afterRead(conversation: Conversation, seq: number): Conversation {
  if (seq <= conversation.read_seq) return conversation
  return derived({ ...conversation, read_seq: Math.min(seq, conversation.last_seq) })
}

export function recalled(message: Message, at: number): Message {
  return { ...message, content: { kind: "recalled" }, recalled_at: at } as Message
}

export function afterRecalled(conversation: Conversation, seq: number, at: number): Conversation {
  const last = conversation.last_message
  if (last?.seq !== seq) return conversation
  return { ...conversation, last_message: recalled(last, at) }
}

/** A conversation as it was read, where what was held has been changed by events meanwhile. */
export function overtaken(read: Conversation, held: Conversation): Conversation {
  if (held.last_seq < read.last_seq) return afterRead(read, held.read_seq)
  return { ...held, mentioned: held.mentioned && (read.mentioned || held.last_seq > read.last_seq) }
}

/** 1–99, then 99+; nothing for nothing. */
export function badgeText(count: number): string {
  if (count <= 0) return ""
  return count > 99 ? "99+" : String(count)
}

/** What the 消息 badge counts: unread of the chats that may make themselves heard. */
export function audibleUnread(conversations: Iterable<Conversation>): number {
  let sum = 0
  for (const { muted, unread } of conversations) if (!muted) sum += unread
  return sum
}

/** Where nothing was said yet, the moment one came in counts, as far as it is known. */
export function inListOrder(
  conversations: Iterable<Conversation>,
  joinedAt: ReadonlyMap<string, number> = new Map(),
): Conversation[] {
  const activity = (c: Conversation): number =>
    c.last_message?.sent_at ?? joinedAt.get(c.conversation_id) ?? 0
  return [...conversations].sort(
    (a, b) => Number(b.pinned) - Number(a.pinned) || activity(b) - activity(a),
  )
}
