/* Mail as the server last told it: two boxes that follow every change, and the commands that change
   them. What a person does shows at once; when it is refused, the box is loaded again. */
import { defineStore } from "pinia"
import { ref, shallowReactive, shallowRef } from "vue"
import { refusalText } from "../../i18n"
import { say } from "../../shell/overlays"
import { onForget } from "../../store/forgetting"
import { keep, read } from "../../store/kept"
import { command, stream } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import type { Arrived } from "../../wire/shapes"
import { boxOf, changed, continued, replayed, supposed, type Box, type BoxName, type MailChange, type MailRow } from "./box"

const NAMES: BoxName[] = ["inbox", "sent"]
const MOST_REMEMBERED = 100
const KEPT_ROWS = 60
const SETTLE_MS = 400

export const useMail = defineStore("mail", () => {
  const boxes = shallowReactive<Record<BoxName, Box | null>>({ inbox: null, sent: null })
  const failures = shallowReactive<Record<BoxName, Refusal | null>>({ inbox: null, sent: null })
  const loading = shallowReactive(new Set<BoxName>())
  /** The last change and the last reading told, for the thread that is open. */
  const lastChange = shallowRef<MailChange | null>(null)
  const lastRead = shallowRef<Arrived<"mail.read"> | null>(null)
  /** Where each box was left: the line on top. */
  const places = ref<Record<string, string>>({})
  let recent: MailChange[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let saving: ReturnType<typeof setTimeout> | undefined

  /** What this device remembers, until the server has answered. */
  async function recollect(name: BoxName): Promise<void> {
    if (boxes[name]) return
    const kept = await read<Box>("state", `mail ${name}`)
    if (kept && !boxes[name]) boxes[name] = kept
  }

  async function load(name: BoxName): Promise<void> {
    if (loading.has(name)) return
    loading.add(name)
    try {
      const fresh = boxOf(await command("mail.list", { box: name }))
      const now = replayed(fresh, name, recent)
      const held = boxes[name]
      // Where nothing has changed, the older rows held are as good as ever.
      const isSame = held && now && held.revision === now.revision && held.rows.length > now.rows.length
      if (!isSame) put(name, now ?? fresh)
      failures[name] = null
      if (!now) loadSoon()
    } catch (error) {
      failures[name] = asRefusal(error)
    } finally {
      loading.delete(name)
    }
  }

  async function loadMore(name: BoxName): Promise<void> {
    const box = boxes[name]
    if (!box?.before || loading.has(name)) return
    loading.add(name)
    try {
      const page = await command("mail.list", { box: name, before: box.before })
      const now = boxes[name]
      if (now?.before === box.before) put(name, continued(now, page))
    } catch (error) {
      failures[name] = asRefusal(error)
    } finally {
      loading.delete(name)
    }
  }

  function put(name: BoxName, box: Box): void {
    boxes[name] = box
    clearTimeout(saving)
    saving = setTimeout(save, SETTLE_MS)
  }

  function save(): void {
    for (const name of NAMES) {
      const box = boxes[name]
      if (!box) continue
      const rows = box.rows.slice(0, KEPT_ROWS)
      const before = rows.length < box.rows.length ? (rows[rows.length - 1]?.order ?? null) : box.before
      void keep("state", `mail ${name}`, { ...box, rows, before })
    }
  }

  function loadSoon(): void {
    clearTimeout(timer)
    timer = setTimeout(() => NAMES.forEach((name) => boxes[name] && void load(name)), SETTLE_MS)
  }

  stream.on("mail.counted", (event) => {
    recent = [...recent, event].slice(-MOST_REMEMBERED)
    for (const name of NAMES) {
      const box = boxes[name]
      const next = box && changed(box, name, event)
      if (next) put(name, next)
      else if (box) loadSoon()
    }
    lastChange.value = event
  })
  stream.on("mail.read", (event) => (lastRead.value = event))
  stream.onReload(() => {
    recent = []
    loadSoon()
  })

  /** Shows a change at once and asks for it; whether it was done. */
  async function attempt(row: MailRow, change: Parameters<typeof supposed>[2], work: () => Promise<unknown>): Promise<boolean> {
    for (const name of NAMES) {
      const box = boxes[name]
      if (box) boxes[name] = supposed(box, row.thread_id, change)
    }
    try {
      await work()
      return true
    } catch (error) {
      say(refusalText(asRefusal(error).code), true)
      NAMES.forEach((name) => void takeBack(name))
      return false
    }
  }

  /** What was shown too early is put back from what this device remembers, then from the server. */
  async function takeBack(name: BoxName): Promise<void> {
    if (!boxes[name]) return
    const kept = await read<Box>("state", `mail ${name}`)
    if (kept) boxes[name] = { ...kept, revision: -1 }
    await load(name)
  }

  const markThread = (row: MailRow): Promise<boolean> =>
    attempt(row, { isRead: true }, () => command("mail.set_read", { mail_id: row.mail_id, is_read: true, whole_thread: true }))

  const markUnread = (row: MailRow): Promise<boolean> =>
    attempt(row, { isRead: false, only: row.mail_id }, () => command("mail.set_read", { mail_id: row.mail_id, is_read: false }))

  const removeThread = (row: MailRow): Promise<boolean> =>
    attempt(row, { isGone: true }, () => command("mail.delete", { mail_id: row.mail_id, whole_thread: true }))

  const remove = (row: MailRow): Promise<boolean> =>
    attempt(row, { isGone: true, only: row.mail_id }, () => command("mail.delete", { mail_id: row.mail_id }))

  onForget(() => {
    clearTimeout(timer)
    clearTimeout(saving)
    boxes.inbox = boxes.sent = null
    failures.inbox = failures.sent = null
    lastChange.value = lastRead.value = null
    places.value = {}
    recent = []
  })

  return { boxes, failures, loading, lastChange, lastRead, places, recollect, load, loadMore, markThread, markUnread, removeThread, remove }
})
