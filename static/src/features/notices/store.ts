/* What one has chosen for one's notices: loaded once, changed here or told from another device. */
import { defineStore } from "pinia"
import { ref, shallowRef } from "vue"
import { onForget } from "../../store/forgetting"
import { command, stream } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import type { Preferences } from "./rules"

const SAVE_AFTER_MS = 500

export const useNoticePreferences = defineStore("notice preferences", () => {
  const preferences = shallowRef<Preferences | null>(null)
  const failure = shallowRef<Refusal | null>(null)
  const unsaved = shallowRef<Refusal | null>(null)
  const isSaving = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let edits = 0

  async function load(): Promise<void> {
    try {
      const loaded = await command("notices.preferences", {})
      if (!unsaved.value && !isSaving.value && !timer) preferences.value = loaded
      failure.value = null
    } catch (error) {
      failure.value = asRefusal(error)
    }
  }

  /** Shown at once; saved when a moment has passed without a further choice. */
  function choose(wanted: Preferences): void {
    edits++
    preferences.value = wanted
    clearTimeout(timer)
    timer = setTimeout(() => void save(), SAVE_AFTER_MS)
  }

  async function save(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const wanted = preferences.value
    if (!wanted) return
    const mine = edits
    isSaving.value = true
    try {
      const { quiet, roads, digest_hours, mentions } = wanted
      const saved = await command("notices.set_preferences", { quiet, roads, digest_hours, mentions })
      unsaved.value = null
      if (mine === edits) preferences.value = saved
    } catch (error) {
      unsaved.value = asRefusal(error)
    } finally {
      isSaving.value = false
    }
  }

  stream.on("notices.preferences_changed", ({ quiet, roads, digest_hours, mentions }) => {
    if (preferences.value && !unsaved.value && !isSaving.value && !timer)
      preferences.value = { ...preferences.value, quiet, roads, digest_hours, mentions }
  })
  onForget(() => {
    clearTimeout(timer)
    timer = undefined
    preferences.value = null
    unsaved.value = null
  })
  return { preferences, failure, unsaved, isSaving, load, choose, save }
})
