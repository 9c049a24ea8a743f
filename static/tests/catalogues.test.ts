import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { en } from "../src/i18n/en"
import { zh } from "../src/i18n/zh"

/* The floor's catalogue and each feature's own. */
const features = import.meta.glob<{ texts: { zh: Record<string, string>; en: Record<string, string> } }>("../src/features/*/*words.ts", { eager: true })
const catalogues: [string, Record<string, string>, Record<string, string>][] = [
  ["the app", zh, en],
  ...Object.entries(features).map(([path, { texts }]): [string, Record<string, string>, Record<string, string>] => [path, texts.zh, texts.en]),
]
const SOURCES = join(__dirname, "../src")
const HAN = /[\u3400-\u9fff]/

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesUnder(path) : [path]
  })
}

const sources = filesUnder(SOURCES)
const templates = sources
  .filter((path) => path.endsWith(".vue"))
  .map((path) => ({ path, text: /<template>[\s\S]*<\/template>/.exec(readFileSync(path, "utf8"))?.[0] ?? "" }))
const names = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string)

describe("catalogues", () => {
  it.each(catalogues)("have the same keys, each with words: %s", (_, zh, en) => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
    expect(Object.entries({ ...zh, ...en }).filter(([, text]) => !text)).toEqual([])
  })

  it.each(catalogues)("name the same values in both languages: %s", (_, zh, en) => {
    const differing = Object.entries(zh).filter(([key, text]) => {
      const there = new Set(names(en[key] ?? ""))
      return names(text).some((name) => !there.has(name)) || there.size > new Set(names(text)).size
    })

    expect(differing.map(([key]) => key)).toEqual([])
  })

  it("hold every word: no Chinese in a template", () => {
    expect(templates.filter(({ text }) => HAN.test(text)).map(({ path }) => path)).toEqual([])
  })

  it("hold every word: no text between tags but what t() gives", () => {
    const bare = templates.flatMap(({ path, text }) =>
      [...text.replace(/\{\{[\s\S]*?\}\}/g, "").matchAll(/>([^<>]*[A-Za-z]{2,}[^<>]*)</g)].map((m) => `${path}: ${m[1]}`),
    )

    expect(bare).toEqual([])
  })

  it.each(catalogues)("have no word that nothing shows: %s", (catalogue, zh) => {
    const own = catalogue.startsWith("..") ? join(__dirname, catalogue, "..") : ""
    const code = sources
      .filter((path) => path.startsWith(own) && !/(i18n\/(zh|en)|words)\.ts$/.test(path))
      .map((path) => readFileSync(path, "utf8"))
      .join("\n")
    const prefixes = [...code.matchAll(/`([a-z_]+\.[a-z_]*)\$\{/g)].map((m) => m[1] as string)
    const unused = Object.keys(zh).filter((key) => !code.includes(`"${key}"`) && !code.includes(`'${key}'`) && !prefixes.some((prefix) => key.startsWith(prefix)))

    expect(unused).toEqual([])
  })
})
