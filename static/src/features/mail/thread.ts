/* The thread that is open: loaded with its texts, loaded again when it changes and somebody looks. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type ComputedRef, type Ref } from "vue"
import { command, isLive } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import type { Opened, Shown } from "./letter"
import { useMail } from "./store"

export interface OpenThread {
  mails: ComputedRef<Shown[]>
  hasEarlier: Ref<boolean>
  failure: Ref<Refusal | null>
  isGone: ComputedRef<boolean>
  load: () => Promise<void>
  loadEarlier: () => Promise<void>
  loadWhole: (mailId: string) => Promise<void>
}

export function useThread(mailId: string): OpenThread {
  const mail = useMail()
  const opened = shallowRef<Opened | null>(null)
  const hasEarlier = ref(false)
  const failure = shallowRef<Refusal | null>(null)
  const mails = computed(() => opened.value?.mails ?? [])
  const isGone = computed(() => failure.value?.code === "not_found")
  let isLate = false
  let asked = 0

  async function load(): Promise<void> {
    isLate = false
    const mine = ++asked
    try {
      const answer = await command("mail.open", { mail_id: mailId })
      // Asked again meanwhile: this one may be from before what has changed.
      if (mine !== asked) return
      // What was new when the thread was opened stays marked until it is left.
      const wereNew = new Set(mails.value.filter((m) => m.is_new).map((m) => m.row.mail_id))
      const fresh = answer.mails.map((m) => (wereNew.has(m.row.mail_id) ? { ...m, is_new: true } : m))
      const known = new Set(fresh.map((m) => m.row.mail_id))
      const first = fresh[0]?.row.order ?? ""
      const above = mails.value.filter((m) => !known.has(m.row.mail_id) && m.row.order < first)
      opened.value = { ...answer, mails: [...above, ...fresh] }
      if (!above.length) hasEarlier.value = answer.has_earlier
      failure.value = null
    } catch (error) {
      if (mine === asked) failure.value = asRefusal(error)
    }
  }

  async function merge(asked: { mail_id: string; before?: string }): Promise<Opened | null> {
    try {
      const answer = await command("mail.open", asked)
      const held = opened.value
      if (!held) return null
      const all = new Map([...held.mails, ...answer.mails].map((m) => [m.row.mail_id, m]))
      for (const m of held.mails) {
        const found = all.get(m.row.mail_id)
        if (found) all.set(m.row.mail_id, { ...found, text: found.text ?? m.text, is_new: found.is_new || m.is_new })
      }
      const sorted = [...all.values()].sort((a, b) => (a.row.order < b.row.order ? -1 : 1))
      opened.value = { ...held, mails: sorted }
      return answer
    } catch (error) {
      failure.value = asRefusal(error)
      return null
    }
  }

  /** The mail asked for may stand above a gap: what comes earlier is asked for from below it. */
  async function loadEarlier(): Promise<void> {
    const from = mails.value.find((m, at) => at > 0 || m.row.mail_id !== mailId) ?? mails.value[0]
    if (!from) return
    const answer = await merge({ mail_id: mailId, before: from.row.order })
    if (answer) hasEarlier.value = answer.has_earlier
  }

  async function loadWhole(id: string): Promise<void> {
    await merge({ mail_id: id })
  }

  async function countReaders(id: string): Promise<void> {
    const held = opened.value
    const answer = await command("mail.readers", { mail_id: id }).catch(() => null)
    if (!answer || !held || opened.value !== held) return
    const now = held.mails.map((m) => (m.row.mail_id === id ? { ...m, read_count: answer.read_count } : m))
    opened.value = { ...held, mails: now }
  }

  function look(): void {
    if (isLate && document.visibilityState === "visible") void load()
  }

  watch(
    () => mail.lastChange,
    (event) => {
      if (!event || !(event.row || event.gone.length)) return
      // Before it is here nobody knows which thread it is: an answer of mine may be on its way.
      if (opened.value && event.thread_id !== opened.value.thread_id) return
      isLate = true
      look()
    },
  )
  watch(
    () => mail.lastRead,
    (event) => event && mails.value.some((m) => m.row.mail_id === event.mail_id) && void countReaders(event.mail_id),
  )
  watch(isLive, (live) => live && void load())
  onMounted(() => {
    document.addEventListener("visibilitychange", look)
    void load()
  })
  onBeforeUnmount(() => document.removeEventListener("visibilitychange", look))

  return { mails, hasEarlier, failure, isGone, load, loadEarlier, loadWhole }
}
