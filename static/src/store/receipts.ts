/* Who has not read a message yet, for messages of mine that are or were in view. Asked for once
   per message, then moved along by read events; whoever read a later one has read this one. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { command, stream } from "../wire/connection"

type Unread = Map<number, readonly string[]>

export const useReceipts = defineStore("receipts", () => {
  const byConversation = shallowReactive(new Map<string, Unread>())
  const asking = new Set<string>()

  function of(id: string, seq: number): number | null {
    return byConversation.get(id)?.get(seq)?.length ?? null
  }

  function put(id: string, changes: [number, readonly string[]][]): void {
    byConversation.set(id, new Map([...(byConversation.get(id) ?? []), ...changes]))
  }

  /** Starts from what is certain of a message just sent: nobody else has read it. */
  function begin(id: string, seq: number, others: readonly string[]): void {
    if (of(id, seq) === null) put(id, [[seq, others]])
  }

  async function need(id: string, seqs: number[]): Promise<void> {
    for (const seq of [...seqs].sort((a, b) => b - a)) {
      const key = `${id} ${seq}`
      if (of(id, seq) !== null || asking.has(key)) continue
      if (isReadThrough(id, seq)) {
        put(id, [[seq, []]])
        continue
      }
      asking.add(key)
      try {
        const { unread } = await command("chat.readers", { conversation_id: id, seq })
        put(id, [[seq, unread]])
      } catch {
        return
      } finally {
        asking.delete(key)
      }
    }
  }

  function isReadThrough(id: string, seq: number): boolean {
    for (const [later, unread] of byConversation.get(id) ?? [])
      if (later >= seq && unread.length === 0) return true
    return false
  }

  function without(id: string, people: readonly string[], upTo: number): void {
    const changes: [number, readonly string[]][] = []
    for (const [seq, unread] of byConversation.get(id) ?? []) {
      const left = seq <= upTo ? unread.filter((person) => !people.includes(person)) : unread
      if (left.length !== unread.length) changes.push([seq, left])
    }
    if (changes.length) put(id, changes)
  }

  stream.on("chat.read", ({ conversation_id, person_id, seq }) => {
    without(conversation_id, [person_id], seq)
  })
  stream.on("chat.sent", ({ conversation_id, message }) => {
    without(conversation_id, [message.sender_id], message.seq)
  })
  stream.on("chat.members_changed", ({ conversation_id, removed }) => {
    without(conversation_id, removed, Number.MAX_SAFE_INTEGER)
  })
  stream.onReload(() => byConversation.clear())

  function forget(): void {
    byConversation.clear()
  }

  return { of, begin, need, forget }
})
