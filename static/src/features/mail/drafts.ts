/* Mails that somebody has begun to write, by what they are (a new one, a reply to this, a copy of that);
   they survive everything but sign-out. */
import { defineStore } from "pinia"
import { ref, shallowReactive } from "vue"
import { onForget } from "../../store/forgetting"
import { onLeaving } from "../../store/kept"
import { records } from "../../store/records"
import { copied, isBlank, type Draft } from "./letter"

const device = records<Draft>("mail drafts", (list) => list)
const SETTLE_MS = 250

export const useMailDrafts = defineStore("mail drafts", () => {
  const byKey = shallowReactive(new Map<string, Draft>())
  /** What this device does not have yet as it is held here. */
  const unkept = new Set<string>()
  const isKept = ref(true)
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Takes in what this device has: other windows write and send too. */
  async function restore(): Promise<void> {
    const kept = new Map(await device.all())
    for (const key of [...byKey.keys()]) if (!kept.has(key) && !unkept.has(key)) byKey.delete(key)
    for (const [key, draft] of kept) if (!unkept.has(key)) byKey.set(key, draft)
  }

  function write(key: string, draft: Draft): void {
    if (isBlank(draft)) byKey.delete(key)
    else byKey.set(key, copied(draft))
    unkept.add(key)
    isKept.value = false
    clearTimeout(timer)
    timer = setTimeout(() => void save(), SETTLE_MS)
  }

  async function save(): Promise<void> {
    clearTimeout(timer)
    await Promise.all([...unkept].map(settle))
    isKept.value = unkept.size === 0
  }

  async function settle(key: string): Promise<void> {
    const draft = byKey.get(key)
    const isDone = await (draft ? device.keep(key, draft) : device.drop(key))
    if (isDone && byKey.get(key) === draft) unkept.delete(key)
  }

  function remove(key: string): void {
    byKey.delete(key)
    unkept.add(key)
    void save()
  }

  /* Whoever leaves in the middle of a word finds it again. */
  onLeaving(() => void (unkept.size && save()))

  onForget(() => {
    clearTimeout(timer)
    byKey.clear()
    unkept.clear()
    isKept.value = true
  })

  return { byKey, isKept, restore, write, remove }
})
