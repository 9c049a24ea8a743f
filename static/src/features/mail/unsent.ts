/* Mails written here and not yet acknowledged, one under way at a time. Each is kept on the device
   before it is sent and leaves only when the server has it; its client id never changes, so that asking
   again never sends twice. */
import { defineStore } from "pinia"
import { shallowRef } from "vue"
import { say } from "../../shell/overlays"
import { newClientId } from "../../store/client_id"
import { onForget } from "../../store/forgetting"
import { afterRefusal, awakened, hurried, pause, type Waiting } from "../../store/outbox_queue"
import { records } from "../../store/records"
import { useSession } from "../../store/session"
import { noteServerTime, serverNow } from "../../wire/clock"
import { command, isLive, onLive } from "../../wire/connection"
import { asRefusal } from "../../wire/refusal"
import { UNSENT } from "./index"
import type { Letter } from "./letter"
import { useMail } from "./store"
import { w } from "./words"

export interface Unsent extends Waiting {
  letter: Letter
}
const device = records<Unsent, Unsent[]>(UNSENT, (list) => list.map((entry) => [entry.client_id, entry]))

export const useUnsent = defineStore("mail unsent", () => {
  const session = useSession()
  const mail = useMail()
  const entries = shallowRef<Unsent[]>([])
  let restored: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function restore(): Promise<void> {
    restored ??= recall()
    return restored
  }

  async function recall(): Promise<void> {
    const kept = (await device.all()).map(([, entry]) => awakened(entry))
    const known = new Set(entries.value.map((entry) => entry.client_id))
    const all = [...kept.filter((e) => !known.has(e.client_id)), ...entries.value]
    entries.value = all.sort((a, b) => a.created_at - b.created_at)
    pump()
  }

  function change(clientId: string, step: (entry: Unsent) => Unsent): void {
    entries.value = entries.value.map((entry) => (entry.client_id === clientId ? step(entry) : entry))
    const changed = entries.value.find((entry) => entry.client_id === clientId)
    if (changed) void device.keep(clientId, changed)
  }

  async function send(letter: Letter): Promise<void> {
    await restore()
    const entry: Unsent = { client_id: newClientId(), created_at: serverNow(), tries: 0, not_before: 0, state: "waiting", letter }
    entries.value = [...entries.value, entry]
    await device.keep(entry.client_id, entry)
    pump()
  }

  function pump(): void {
    clearTimeout(timer)
    if (!session.isSignedIn || session.needsSignIn) return
    if (entries.value.some((entry) => entry.state === "sending")) return
    const next = entries.value.find((e) => e.state === "waiting" && e.not_before <= Date.now())
    if (next) return void attempt(next)
    const wait = pause(entries.value, Date.now())
    if (wait !== null) timer = setTimeout(pump, Math.max(wait, 1))
  }

  async function attempt({ client_id, letter }: Unsent): Promise<void> {
    change(client_id, (entry) => ({ ...entry, state: "sending" }))
    try {
      const { sent_at } = await command("mail.send", { client_id, ...letter })
      noteServerTime(sent_at)
      remove(client_id)
      // Over HTTP nobody tells of the new row.
      if (!isLive.value) void mail.load("sent")
    } catch (error) {
      const refusal = asRefusal(error)
      change(client_id, (entry) => afterRefusal(entry, refusal, Date.now(), Math.random()))
      if (entries.value.some((e) => e.client_id === client_id && e.state === "failed")) say(w("send_failed"), true)
    }
    pump()
  }

  function remove(clientId: string): void {
    entries.value = entries.value.filter((entry) => entry.client_id !== clientId)
    void device.drop(clientId)
  }

  function retry(clientId: string): void {
    change(clientId, (entry) => ({ ...entry, state: "waiting", not_before: 0, tries: 0, code: undefined }))
    pump()
  }

  onLive(() => {
    entries.value = entries.value.map(hurried)
    pump()
  })
  onForget(() => {
    clearTimeout(timer)
    entries.value = []
    restored = null
  })

  return { entries, restore, send, retry, remove }
})
