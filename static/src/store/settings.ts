/* Theme, font size and language: applied to the page at once, kept on the device for the next
   start, told to the server so that the other devices follow. */
import { defineStore } from "pinia"
import { shallowRef } from "vue"
import { setLanguage } from "../i18n"
import { command, stream } from "../wire/connection"
import type { Settings } from "../wire/shapes"

const KEY = "yuanxin.settings"
const DEFAULTS: Settings = { theme: "system", font: "normal", language: "zh" }

function remembered(): Settings {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) }
  } catch {
    return DEFAULTS
  }
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)")

export const useSettings = defineStore("settings", () => {
  const current = shallowRef<Settings>(remembered())

  async function apply(): Promise<void> {
    const { theme, font, language } = current.value
    const root = document.documentElement
    const isDark = theme === "dark" || (theme === "system" && prefersDark.matches)
    root.classList.toggle("dark", isDark)
    root.classList.toggle("large", font === "large")
    root.lang = language === "zh" ? "zh-CN" : "en"
    localStorage.setItem(KEY, JSON.stringify(current.value))
    await setLanguage(language)
  }

  function adopt({ theme, font, language }: Settings): void {
    current.value = { theme, font, language }
    void apply()
  }

  /** What was chosen holds here at once; a server that cannot be reached does not undo it. */
  async function choose(wish: Partial<Settings>): Promise<void> {
    adopt({ ...current.value, ...wish })
    await command("account.set_settings", wish)
  }

  prefersDark.addEventListener("change", () => void apply())
  stream.on("account.settings_changed", (settings) => adopt(settings))

  return { current, apply, adopt, choose }
})
