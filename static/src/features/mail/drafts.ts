/* Mails that somebody has begun to write, by what they are (a new one, a reply to this, a copy of that);
   they survive everything but sign-out. */
import { defineStore } from "pinia"
import { ref, shallowReactive } from "vue"
import { onForget } from "../../store/forgetting"
import { keep, read } from "../../store/kept"
import { isBlank, type Draft } from "./letter"

const DRAWER = "mail drafts"
const SETTLE_MS = 250

export const useMailDrafts = defineStore("mail drafts", () => {
  const byKey = shallowReactive(new Map<string, Draft>())
  const isRestored = ref(false)
  let restoring: Promise<void> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function restore(): Promise<void> {
    restoring ??= recall()
    return restoring
  }

  async function recall(): Promise<void> {
    for (const [key, draft] of (await read<[string, Draft][]>("state", DRAWER)) ?? [])
      if (!byKey.has(key)) byKey.set(key, draft)
    isRestored.value = true
  }

  function write(key: string, draft: Draft): void {
    if (isBlank(draft)) byKey.delete(key)
    else byKey.set(key, { ...draft })
    clearTimeout(timer)
    timer = setTimeout(() => void keep("state", DRAWER, [...byKey]), SETTLE_MS)
  }

  function remove(key: string): void {
    byKey.delete(key)
    clearTimeout(timer)
    void keep("state", DRAWER, [...byKey])
  }

  onForget(() => {
    clearTimeout(timer)
    byKey.clear()
    restoring = null
    isRestored.value = false
  })

  return { byKey, isRestored, restore, write, remove }
})
