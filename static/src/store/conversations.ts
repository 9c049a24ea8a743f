/* The list of conversations: loaded once, then moved along by events. */
import { defineStore } from "pinia"
import { computed, ref, shallowReactive, shallowRef } from "vue"
import { command, onLive, stream } from "../wire/connection"
import { asRefusal, type Refusal } from "../wire/refusal"
import type { Conversation, Member } from "../wire/shapes"
import { keep, read } from "./kept"
import { useSession } from "./session"
import { afterRead, afterRecalled, afterSent, audibleUnread, inListOrder, overtaken } from "./unread"

const READS = "reads"

export const useConversations = defineStore("conversations", () => {
  const session = useSession()
  const byId = shallowReactive(new Map<string, Conversation>())
  const members = shallowReactive(new Map<string, Member[]>())
  const joinedAt = shallowReactive(new Map<string, number>())
  const gone = shallowReactive(new Set<string>())
  /** Read here and not known to the server yet; kept on the device until it is. */
  const untold = new Map<string, number>()
  const isLoaded = ref(false)
  const failure = shallowRef<Refusal | null>(null)
  const list = computed(() => inListOrder(byId.values(), joinedAt))
  const unread = computed(() => audibleUnread(byId.values()))

  async function load(): Promise<void> {
    const [before, wereGone] = [new Map(byId), new Set(gone)]
    try {
      const { conversations } = await command("chat.conversations", {})
      const listed = new Set(conversations.map((c) => c.conversation_id))
      for (const [id, held] of [...byId]) if (!listed.has(id) && held === before.get(id)) byId.delete(id)
      for (const c of conversations) answered(c, before.get(c.conversation_id), wereGone.has(c.conversation_id))
      isLoaded.value = true
      failure.value = null
    } catch (error) {
      failure.value = asRefusal(error)
    }
  }

  /** What was read. What has been told since it was asked for is newer. */
  function answered(read: Conversation, before: Conversation | undefined, wasGone: boolean): void {
    const held = byId.get(read.conversation_id)
    if (held) put(held === before ? read : overtaken(read, held))
    else if (!before && (wasGone || !gone.has(read.conversation_id))) put(read)
  }

  function put(conversation: Conversation): void {
    gone.delete(conversation.conversation_id)
    byId.set(conversation.conversation_id, afterRead(conversation, untold.get(conversation.conversation_id) ?? 0))
  }

  function change(id: string, step: (conversation: Conversation) => Conversation): void {
    const before = byId.get(id)
    if (!before) return
    const after = step(before)
    if (after !== before) byId.set(id, after)
  }

  /** One conversation with its members, fresh. Refused with not_found when it is not ours. */
  async function refresh(id: string, withMembers = true): Promise<void> {
    const [before, knownMembers, wasGone] = [byId.get(id), members.get(id), gone.has(id)]
    try {
      const { conversation, members: people } = await command("chat.conversation", {
        conversation_id: id,
        members: withMembers,
      })
      answered(conversation, before, wasGone)
      if (withMembers && byId.has(id) && members.get(id) === knownMembers) members.set(id, people)
    } catch (error) {
      if (["not_found", "forbidden"].includes(asRefusal(error).code)) leave(id)
      throw error
    }
  }

  function leave(id: string): void {
    byId.delete(id)
    members.delete(id)
    gone.add(id)
  }

  async function markRead(id: string, seq: number): Promise<void> {
    const before = byId.get(id)
    if (!before || seq <= before.read_seq) return
    change(id, (conversation) => afterRead(conversation, seq))
    untold.set(id, seq)
    await tellRead(id, seq)
  }

  async function tellRead(conversation_id: string, seq: number): Promise<void> {
    try {
      await command("chat.mark_read", { conversation_id, seq })
    } catch (error) {
      const { isPassing, code } = asRefusal(error)
      if (isPassing || code === "unauthenticated") return void keep("state", READS, [...untold])
    }
    if (untold.get(conversation_id) === seq) untold.delete(conversation_id)
  }

  /** Others wait for it: whoever wrote sees 未读 until the server knows. */
  async function tellReads(): Promise<void> {
    if (!untold.size) return
    for (const [id, seq] of untold) await tellRead(id, seq)
    void keep("state", READS, [...untold])
  }

  async function restoreReads(): Promise<void> {
    for (const [id, seq] of (await read<[string, number][]>("state", READS)) ?? []) untold.set(id, seq)
  }

  async function configure(id: string, wish: { muted?: boolean; pinned?: boolean }): Promise<void> {
    const before = byId.get(id)
    if (!before) return
    byId.set(id, { ...before, ...wish })
    try {
      const now = await command("chat.configure", { conversation_id: id, ...wish })
      change(id, (conversation) => ({ ...conversation, ...now }))
    } catch (error) {
      change(id, (c) => ({ ...c, muted: before.muted, pinned: before.pinned }))
      throw error
    }
  }

  /** The conversation with one person, made when there is none yet. */
  async function openWith(personId: string): Promise<string> {
    for (const c of byId.values())
      if (c.kind === "direct" && c.person_id === personId) return c.conversation_id
    const { conversation_id } = await command("chat.open", { person_id: personId })
    if (!byId.has(conversation_id)) await refresh(conversation_id)
    return conversation_id
  }

  function membersChanged(id: string, added: string[], removed: string[], ownerId: string | null): void {
    const before = members.get(id)
    if (!before) return
    const staying = before.filter((member) => !removed.includes(member.person_id))
    const known = new Set(staying.map((member) => member.person_id))
    const coming = added.filter((person_id) => !known.has(person_id))
    const everybody = [
      ...staying,
      ...coming.map((person_id) => ({ person_id, role: "member" as const, joined_at: Date.now() })),
    ]
    members.set(
      id,
      everybody.map((m) => ({ ...m, role: m.person_id === ownerId ? "owner" : "member" })),
    )
  }

  /** A conversation that is new to us, for the list: everybody in it asks at the same time, so the
      members come only once it is opened. */
  function meet(id: string): void {
    if (!byId.has(id)) void refresh(id, false).catch(() => undefined)
  }

  /** Whether it was the only mention there was, only the server knows. */
  function mentionsMayHaveGone(id: string, recalledSeq: number): void {
    const held = byId.get(id)
    if (held?.mentioned && recalledSeq > held.read_seq) void refresh(id, false).catch(() => undefined)
  }

  stream.on("chat.sent", ({ conversation_id, message }) => {
    if (!byId.has(conversation_id)) meet(conversation_id)
    else change(conversation_id, (c) => afterSent(c, message, session.myId))
  })
  stream.on("chat.read", ({ conversation_id, person_id, seq }) => {
    if (person_id === session.myId) change(conversation_id, (c) => afterRead(c, seq))
  })
  stream.on("chat.recalled", ({ conversation_id, seq, recalled_at }) => {
    change(conversation_id, (c) => afterRecalled(c, seq, recalled_at))
    mentionsMayHaveGone(conversation_id, seq)
  })
  stream.on("chat.members_changed", ({ conversation_id, added, removed, owner_id, title }) => {
    change(conversation_id, (c) => ({
      ...c,
      title,
      owner_id,
      member_count: Math.max(0, c.member_count + added.length - removed.length),
    }))
    membersChanged(conversation_id, added, removed, owner_id)
  })
  stream.on("chat.joined", ({ conversation_id, at }) => {
    joinedAt.set(conversation_id, at)
    gone.delete(conversation_id)
    meet(conversation_id)
  })
  stream.on("chat.left", ({ conversation_id }) => leave(conversation_id))
  onLive(() => void tellReads())
  stream.on("chat.configured", ({ conversation_id, muted, pinned }) => {
    change(conversation_id, (c) => ({ ...c, muted, pinned }))
  })

  function forget(): void {
    byId.clear()
    members.clear()
    joinedAt.clear()
    gone.clear()
    untold.clear()
    isLoaded.value = false
    failure.value = null
  }

  return {
    byId, members, gone, isLoaded, failure, list, unread,
    load, put, change, refresh, markRead, restoreReads, configure, openWith, leave, forget,
  }
})
