/* What was written before it was recalled, for as long as it may be written again. */
import { shallowReactive } from "vue"
import { serverNow } from "../../wire/clock"
import type { Message } from "../../wire/shapes"

const EDITABLE_MS = 5 * 60_000
const texts = shallowReactive(new Map<string, { text: string; at: number }>())

export function rememberUnsaid(message: Message): void {
  if (message.content.kind !== "text") return
  texts.set(message.message_id, { text: message.content.text, at: serverNow() })
  setTimeout(() => texts.delete(message.message_id), EDITABLE_MS)
}

export function unsaidText(messageId: string): string | null {
  return texts.get(messageId)?.text ?? null
}
