/* Copies to take note of, ticked and told of together. Nothing is ever approved this way. */
import { computed, ref } from "vue"
import { refusalText } from "../../i18n"
import { say } from "../../shell/overlays"
import { command } from "../../wire/connection"
import { asRefusal } from "../../wire/refusal"
import { w } from "./words"

const MOST_PER_COMMAND = 50

export function useMarking() {
  const isOn = ref(false)
  const isBusy = ref(false)
  const ticked = ref(new Set<string>())
  const n = computed(() => ticked.value.size)

  function turn(): void {
    isOn.value = !isOn.value
    ticked.value = new Set()
  }

  function tick(requestId: string): void {
    const all = new Set(ticked.value)
    if (!all.delete(requestId)) all.add(requestId)
    ticked.value = all
  }

  function tickAll(ids: string[]): void {
    ticked.value = new Set(ids.every((id) => ticked.value.has(id)) ? [] : ids)
  }

  /** Those that failed stay ticked. */
  async function mark(): Promise<void> {
    const ids = [...ticked.value]
    const failed = new Set(ids)
    isBusy.value = true
    try {
      for (let at = 0; at < ids.length; at += MOST_PER_COMMAND) {
        const request_ids = ids.slice(at, at + MOST_PER_COMMAND)
        const answer = await command("documents.mark_read", { request_ids })
        for (const id of request_ids) if (!answer.failed.includes(id)) failed.delete(id)
      }
      if (failed.size) say(w("many.failed", { n: failed.size }), true)
      else say(w("many.done", { n: ids.length }))
    } catch (error) {
      say(refusalText(asRefusal(error).code), true)
    } finally {
      isBusy.value = false
      ticked.value = failed
      if (!failed.size) isOn.value = false
    }
  }

  return { isOn, isBusy, ticked, n, turn, tick, tickAll, mark }
}
