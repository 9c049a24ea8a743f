/* My common phrases, kept on this device. */
import { defineStore } from "pinia"
import { shallowRef } from "vue"
import { onForget } from "../../store/forgetting"
import { keep, read } from "../../store/kept"

const KEY = "phrases"
const MOST = 30

export const usePhrases = defineStore("phrases", () => {
  const mine = shallowRef<string[]>([])
  let isRead = false

  async function recollect(): Promise<void> {
    if (isRead) return
    isRead = true
    mine.value = [...mine.value, ...((await read<string[]>("state", KEY)) ?? [])]
  }

  function set(phrases: string[]): void {
    mine.value = phrases.slice(0, MOST)
    void keep("state", KEY, mine.value)
  }

  /** The newest stands first. */
  function add(phrase: string): void {
    const text = phrase.trim()
    if (text) set([text, ...mine.value.filter((one) => one !== text)])
  }

  function remove(phrase: string): void {
    set(mine.value.filter((one) => one !== phrase))
  }

  onForget(() => {
    mine.value = []
    isRead = false
  })

  return { mine, recollect, add, remove }
})
