/* Words for the screens. Chinese is in the first file a page loads, English comes when chosen; a
   feature's own words come with its screens, both languages at once.
   A text may hold {names} for values and, in English, "one | many" decided by {n}. */
import { ref, shallowRef } from "vue"
import { zh, type TextKey } from "./zh"

export type { TextKey }
export type Language = "zh" | "en"
type Values = Record<string, string | number>

export const language = ref<Language>("zh")
const catalogue = shallowRef<Record<TextKey, string>>(zh)

export async function setLanguage(wanted: Language): Promise<void> {
  catalogue.value = wanted === "en" ? (await import("./en")).en : zh
  language.value = wanted
}

export function t(key: TextKey, values: Values = {}): string {
  return filled(catalogue.value[key], values)
}

/** A feature's words in both languages, and the function that says them. */
export function words<K extends string>(texts: Record<Language, Record<K, string>>): (key: K, values?: Values) => string {
  return (key, values = {}) => filled(texts[language.value][key], values)
}

function filled(text: string, values: Values): string {
  const forms = text.split(" | ")
  const form = forms.length > 1 && Number(values["n"]) !== 1 ? forms[1] : forms[0]
  return (form ?? "").replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""))
}

/** The words for a refusal's code; codes without words share one. */
export function refusalText(code: string): string {
  const key = `refused.${code}` as TextKey
  return t(key in zh ? key : "refused.internal")
}

/** Names in one line, in the way of the language. */
export function listed(names: string[]): string {
  return names.join(t("list.separator"))
}
