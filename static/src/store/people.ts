/* Everybody whose name this page has had to show. Names are asked for in bundles: what one frame
   needs is one command. */
import { defineStore } from "pinia"
import { ref, shallowReactive } from "vue"
import { command } from "../wire/connection"
import type { Person } from "../wire/shapes"

const MOST_PER_COMMAND = 200
const ASK_AGAIN_MS = 30_000

export const usePeople = defineStore("people", () => {
  const byId = shallowReactive(new Map<string, Person>())
  const changes = ref(0)
  const asked = new Map<string, number>()
  let wanted = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function learn(people: Person[]): void {
    for (const person of people) byId.set(person.person_id, person)
    if (people.length) changes.value++
  }

  function need(ids: Iterable<string>): void {
    const now = Date.now()
    for (const id of ids) {
      if (!id || byId.has(id) || now - (asked.get(id) ?? 0) < ASK_AGAIN_MS) continue
      asked.set(id, now)
      wanted.add(id)
    }
    if (wanted.size && !timer) timer = setTimeout(() => void ask(), 16)
  }

  async function ask(): Promise<void> {
    timer = undefined
    const ids = [...wanted]
    wanted = new Set()
    for (let start = 0; start < ids.length; start += MOST_PER_COMMAND) {
      const person_ids = ids.slice(start, start + MOST_PER_COMMAND)
      try {
        learn((await command("contacts.people", { person_ids })).people)
      } catch {
        person_ids.forEach((id) => asked.delete(id))
      }
    }
  }

  /** The name, or an empty string until it is known. */
  function nameOf(id: string): string {
    const person = byId.get(id)
    if (!person) need([id])
    return person?.name ?? ""
  }

  function forget(): void {
    byId.clear()
    asked.clear()
    wanted.clear()
  }

  return { byId, changes, learn, need, nameOf, forget }
})
