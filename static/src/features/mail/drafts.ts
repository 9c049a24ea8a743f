/* Mails that somebody has begun to write, by what they are (a new one, a reply to this, a copy of that);
   they survive everything but sign-out. */
import { defineStore } from "pinia"
import { ref, shallowReactive } from "vue"
import { onForget } from "../../store/forgetting"
import { keep, read } from "../../store/kept"
import { copied, isBlank, type Draft } from "./letter"

const DRAWER = "mail drafts"
const SETTLE_MS = 250

export const useMailDrafts = defineStore("mail drafts", () => {
  const byKey = shallowReactive(new Map<string, Draft>())
  /** Whether this device has everything that is held here. */
  const isKept = ref(true)
  let restoring: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function restore(): Promise<void> {
    restoring ??= recall()
    return restoring
  }

  async function recall(): Promise<void> {
    for (const [key, draft] of (await read<[string, Draft][]>("state", DRAWER)) ?? [])
      if (!byKey.has(key)) byKey.set(key, draft)
  }

  function write(key: string, draft: Draft): void {
    if (isBlank(draft)) byKey.delete(key)
    else byKey.set(key, copied(draft))
    isKept.value = false
    clearTimeout(timer)
    timer = setTimeout(() => void save(), SETTLE_MS)
  }

  async function save(): Promise<void> {
    clearTimeout(timer)
    isKept.value = await keep("state", DRAWER, [...byKey])
  }

  function remove(key: string): void {
    byKey.delete(key)
    void save()
  }

  onForget(() => {
    clearTimeout(timer)
    byKey.clear()
    restoring = null
    isKept.value = true
  })

  return { byKey, isKept, restore, write, remove }
})
