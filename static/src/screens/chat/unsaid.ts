/* What was written before it was recalled, for as long as it may be written again. */
import { shallowReactive } from "vue"
import type { Message, TextContent } from "../../wire/shapes"

const EDITABLE_MS = 5 * 60_000
const contents = shallowReactive(new Map<string, TextContent>())

export function rememberUnsaid(message: Message): void {
  if (message.content.kind !== "text") return
  contents.set(message.message_id, message.content)
  setTimeout(() => contents.delete(message.message_id), EDITABLE_MS)
}

export function unsaid(messageId: string): TextContent | undefined {
  return contents.get(messageId)
}
