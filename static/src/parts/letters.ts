/* People under the letters of the alphabet. The browser's own Chinese order gives the letter of a
   character; surnames read differently from the same character elsewhere are named here. Pure. */

const STARTS = "阿八嚓哒妸发旮哈讥咔垃妈拿噢妑七呥仨他屲夕丫帀"
const LETTERS = "ABCDEFGHJKLMNOPQRSTWXYZ"
const SURNAMES: Record<string, string> = {
  单: "S", 曾: "Z", 仇: "Q", 翟: "Z", 查: "Z", 区: "O", 解: "X", 任: "R", 华: "H", 朴: "P",
  乐: "Y", 缪: "M", 冼: "X", 盖: "G", 员: "Y", 种: "C", 秘: "B", 繁: "P", 覃: "Q", 尉: "Y",
}
export const OTHER = "#"

const collator = new Intl.Collator("zh-CN")

export function letterOf(name: string): string {
  const first = Array.from(name.trim())[0] ?? ""
  if (/[a-z]/i.test(first)) return first.toUpperCase()
  if (SURNAMES[first]) return SURNAMES[first]
  if (!/[\u3400-\u9fff]/.test(first)) return OTHER
  let letter = OTHER
  for (let at = 0; at < STARTS.length; at++) {
    if (collator.compare(first, STARTS[at] as string) < 0) break
    letter = LETTERS[at] as string
  }
  return letter
}

export interface Lettered<P> {
  letter: string
  people: P[]
}

/** Groups in alphabetical order, people within a group in the order of the language. */
export function byLetter<P extends { name: string }>(people: readonly P[]): Lettered<P>[] {
  const groups = new Map<string, P[]>()
  for (const person of people) {
    const letter = letterOf(person.name)
    const group = groups.get(letter)
    if (group) group.push(person)
    else groups.set(letter, [person])
  }
  const place = (letter: string): string => (letter === OTHER ? "~" : letter)
  return [...groups]
    .sort(([a], [b]) => (place(a) < place(b) ? -1 : 1))
    .map(([letter, group]) => ({
      letter,
      people: group.sort((a, b) => collator.compare(a.name, b.name)),
    }))
}

const LEAST_HEIGHT_PX = 24

/** The letters that fit into a height; on a short screen some are left out, never squeezed. */
export function fitting(letters: string[], height: number): string[] {
  const room = Math.max(2, Math.floor(height / LEAST_HEIGHT_PX))
  if (letters.length <= room) return letters
  const step = (letters.length - 1) / (room - 1)
  return Array.from({ length: room }, (_, at) => letters[Math.round(at * step)] as string)
}
