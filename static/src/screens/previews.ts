/* The last line of a conversation in the list, in words. */
import { t } from "../i18n"
import type { Conversation, Message } from "../wire/shapes"

export function recalledLine(message: Message, myId: string, name: string): string {
  return message.sender_id === myId ? t("chat.you_recalled") : t("chat.recalled", { name })
}

export function preview(
  conversation: Conversation,
  myId: string,
  nameOf: (id: string) => string,
): string {
  const message = conversation.last_message
  if (!message) return ""
  const isMine = message.sender_id === myId
  if (message.content.kind === "recalled")
    return recalledLine(message, myId, isMine ? "" : nameOf(message.sender_id))
  const text = message.content.text.replace(/\s+/g, " ").slice(0, 120)
  if (conversation.kind === "direct" || isMine) return text
  const name = nameOf(message.sender_id)
  return name ? t("messages.said", { name, text }) : text
}

/** A steady hue for what has none of its own. */
export function hueOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 360
  return sum
}
