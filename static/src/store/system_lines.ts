/* Lines a group tells about itself: who came, who went, who renamed it. They are no messages;
   each page derives them from the events it sees and keeps the last few per conversation. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { stream } from "../wire/connection"
import type { Conversation } from "../wire/shapes"
import { useConversations } from "./conversations"

export interface SystemLine {
  key: string
  at: number
  kind: "added" | "removed" | "left" | "renamed" | "owner"
  by: string
  people: string[]
  title: string
}

const MOST_KEPT = 40

interface Change {
  added: string[]
  removed: string[]
  owner_id: string | null
  title: string
  by: string
  at: number
  position: number | null
}

/** What a change of membership says, compared with the group as it was known before. */
export function linesOf(change: Change, before: Conversation | undefined): SystemLine[] {
  const { added, removed, owner_id, title, by, at, position } = change
  if (owner_id === null) return [] // two people: nobody was brought in
  const line = (kind: SystemLine["kind"], people: string[]): SystemLine => ({
    key: `${position}:${kind}`, at, kind, by, people, title,
  })
  const lines: SystemLine[] = []
  const brought = added.filter((person) => person !== by)
  if (brought.length) lines.push(line("added", brought))
  if (removed.length)
    lines.push(line(removed.length === 1 && removed[0] === by ? "left" : "removed", removed))
  if (before && before.title !== title) lines.push(line("renamed", []))
  if (before?.owner_id && owner_id && before.owner_id !== owner_id)
    lines.push(line("owner", [owner_id]))
  return lines
}

export const useSystemLines = defineStore("system_lines", () => {
  const conversations = useConversations()
  const byConversation = shallowReactive(new Map<string, SystemLine[]>())

  function note(id: string, change: Change): void {
    const before = conversations.byId.get(id)
    const held = byConversation.get(id) ?? []
    const fresh = linesOf(change, before).filter((line) => !held.some((h) => h.key === line.key))
    if (fresh.length) byConversation.set(id, [...held, ...fresh].slice(-MOST_KEPT))
  }

  function restore(kept: [string, SystemLine[]][]): void {
    for (const [id, lines] of kept) if (!byConversation.has(id)) byConversation.set(id, lines)
  }

  function forget(): void {
    byConversation.clear()
  }

  return { byConversation, note, restore, forget }
})

/** Must listen before the list does, because it compares with the list as it was. */
export function listenForSystemLines(): void {
  stream.on("chat.members_changed", (event) => useSystemLines().note(event.conversation_id, event))
}
