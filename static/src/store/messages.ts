/* The stretches of conversations this page holds, kept in step by events while they are held. */
import { defineStore } from "pinia"
import { ref, shallowReactive } from "vue"
import { command, stream } from "../wire/connection"
import type { Message } from "../wire/shapes"
import { keep, read } from "./kept"
import { usePeople } from "./people"
import * as stretches from "./window"
import { firstSeq, lastSeq, type Stretch } from "./window"

const PAGE = 50
const BEFORE_UNREAD = 30
const KEPT_FOR_NEXT_VISIT = 50

type Step = (stretch: Stretch) => Stretch

/** A page on its way, and what happened to its conversation since it was asked for. */
interface Loading {
  id: string
  meanwhile: Step[]
}

export const useMessages = defineStore("messages", () => {
  const people = usePeople()
  const byConversation = shallowReactive(new Map<string, Stretch>())
  /** Those in step with the server; others come from the device and are only shown meanwhile. */
  const inStep = new Set<string>()
  const generation = ref(0)
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const underWay = new Map<string, Promise<void>>()
  const loading = new Set<Loading>()

  function put(id: string, stretch: Stretch): void {
    byConversation.set(id, stretch)
    people.need(new Set(stretch.messages.slice(-200).map((message) => message.sender_id)))
    clearTimeout(timers.get(id))
    timers.set(id, setTimeout(() => void remember(id), 1_500))
  }

  async function remember(id: string): Promise<void> {
    const stretch = byConversation.get(id)
    const tail = stretch && inStep.has(id) && stretches.tail(stretch, KEPT_FOR_NEXT_VISIT)
    if (tail) await keep("windows", id, tail)
  }

  function change(id: string, step: Step): void {
    const before = byConversation.get(id)
    if (!before) return
    const after = step(before)
    if (after !== before) put(id, after)
  }

  function once(key: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(key)
    if (running) return running
    const started = work().finally(() => underWay.delete(key))
    underWay.set(key, started)
    return started
  }

  /** What the device remembers, at once; nothing when the first unread would be missing from it. */
  async function recollect(id: string, readSeq: number): Promise<void> {
    if (byConversation.has(id)) return
    const kept = await read<Stretch>("windows", id)
    if (kept && !byConversation.has(id) && readSeq <= lastSeq(kept)) byConversation.set(id, kept)
  }

  /** Loads the place to start reading at: around the first unread, or the newest page. */
  function open(id: string, readSeq: number, latestSeq: number): Promise<void> {
    const held = byConversation.get(id)
    if (held && inStep.has(id) && (!held.hasNewer || stretches.contains(held, readSeq)))
      return Promise.resolve()
    return once(`open ${id}`, () =>
      latestSeq - readSeq > PAGE / 2 ? loadAround(id, readSeq) : loadNewest(id),
    )
  }

  function loadNewest(id: string): Promise<void> {
    return load(id, async () => {
      const page = await command("chat.history", { conversation_id: id, limit: PAGE })
      return () => ({ messages: page.messages, hasOlder: page.has_more, hasNewer: false })
    })
  }

  function loadAround(id: string, seq: number): Promise<void> {
    const conversation_id = id
    return load(id, async () => {
      const [before, after] = await Promise.all([
        command("chat.history", { conversation_id, before_seq: seq + 1, limit: BEFORE_UNREAD }),
        command("chat.history", { conversation_id, after_seq: seq, limit: PAGE }),
      ])
      const messages = [...before.messages, ...after.messages]
      return () => ({ messages, hasOlder: before.has_more, hasNewer: after.has_more })
    })
  }

  function loadOlder(id: string): Promise<void> {
    return once(`older ${id}`, async () => {
      const held = byConversation.get(id)
      if (!held?.hasOlder || !inStep.has(id)) return
      const before_seq = firstSeq(held) || undefined
      const page = await command("chat.history", { conversation_id: id, before_seq, limit: PAGE })
      change(id, (now) => stretches.withOlder(now, page.messages, page.has_more))
    })
  }

  function loadNewer(id: string): Promise<void> {
    return once(`newer ${id}`, async () => {
      const held = byConversation.get(id)
      if (!held?.hasNewer || !inStep.has(id)) return
      const after_seq = lastSeq(held)
      await load(id, async () => {
        const page = await command("chat.history", { conversation_id: id, after_seq, limit: PAGE })
        return (now) => stretches.withNewer(now, page.messages, page.has_more)
      })
    })
  }

  /** Takes a page. It was read before it came: what was told meanwhile is not in it. */
  async function load(id: string, ask: () => Promise<Step>): Promise<void> {
    const mine: Loading = { id, meanwhile: [] }
    loading.add(mine)
    try {
      const page = await ask()
      const fresh = page(byConversation.get(id) ?? stretches.NOTHING)
      inStep.add(id)
      put(id, mine.meanwhile.reduce((held, step) => step(held), fresh))
    } finally {
      loading.delete(mine)
    }
  }

  function happened(id: string, step: Step): void {
    for (const one of loading) if (one.id === id) one.meanwhile.push(step)
    change(id, step)
  }

  function arrived(id: string, message: Message): void {
    const wasAtEnd = byConversation.get(id)?.hasNewer === false
    happened(id, (stretch) => stretches.withArrived(stretch, message))
    if (wasAtEnd && byConversation.get(id)?.hasNewer) catchUp(id)
  }

  function catchUp(id: string): void {
    void loadNewer(id).catch(() => undefined)
  }

  stream.on("chat.sent", ({ conversation_id, message }) => arrived(conversation_id, message))
  stream.on("chat.recalled", ({ conversation_id, seq, recalled_at }) => {
    happened(conversation_id, (stretch) => stretches.withRecalled(stretch, seq, recalled_at))
  })
  stream.on("chat.left", ({ conversation_id }) => {
    byConversation.delete(conversation_id)
    inStep.delete(conversation_id)
  })

  /** The server asked for a reload: what is held may be shown, but is no longer in step. */
  function distrust(): void {
    inStep.clear()
    generation.value++
  }

  function forget(): void {
    timers.forEach((timer) => clearTimeout(timer))
    byConversation.clear()
    inStep.clear()
  }

  function isInStep(id: string): boolean {
    return inStep.has(id)
  }

  return {
    byConversation, recollect, open, loadNewest, loadAround, loadOlder, loadNewer,
    arrived, isInStep, distrust, forget, generation,
  }
})
