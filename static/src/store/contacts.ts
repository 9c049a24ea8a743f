/* The tree of departments and the people directly in each, kept between visits. */
import { defineStore } from "pinia"
import { computed, shallowReactive, shallowRef } from "vue"
import { command } from "../wire/connection"
import type { Department, Person, Result } from "../wire/shapes"
import { onForget } from "./forgetting"
import { keep, read } from "./kept"
import { usePeople } from "./people"

export const useContacts = defineStore("contacts", () => {
  const people = usePeople()
  const departments = shallowRef<Department[] | null>(null)
  const members = shallowReactive(new Map<string, Person[]>())
  const byId = computed(() => new Map((departments.value ?? []).map((d) => [d.department_id, d])))
  const roots = computed(() => {
    return (departments.value ?? []).filter((d) => !d.parent_id || !byId.value.has(d.parent_id))
  })

  async function loadTree(): Promise<void> {
    departments.value ??= (await read<Department[]>("state", "departments")) ?? null
    const { departments: fresh } = await command("contacts.tree", {})
    departments.value = fresh
    void keep("state", "departments", fresh)
  }

  async function loadDepartment(id: string): Promise<void> {
    const key = `department ${id}`
    const kept = members.has(id) ? undefined : await read<Person[]>("state", key)
    if (kept) members.set(id, kept)
    const { people: fresh } = await command("contacts.department", { department_id: id })
    members.set(id, fresh)
    people.learn(fresh)
    void keep("state", key, fresh)
  }

  async function searchAll(query: string, limit = 50): Promise<Result<"contacts.search">> {
    const found = await command("contacts.search", { query, limit })
    people.learn(found.people)
    return found
  }

  async function search(query: string, limit = 50): Promise<Person[]> {
    return (await searchAll(query, limit)).people
  }

  function childrenOf(id: string | null): Department[] {
    if (id === null) return roots.value
    return (departments.value ?? []).filter((d) => d.parent_id === id)
  }

  /** From the root down to a department, itself last. */
  function pathTo(id: string): Department[] {
    const path: Department[] = []
    let at = byId.value.get(id)
    while (at && path.length < 32) {
      path.unshift(at)
      at = at.parent_id ? byId.value.get(at.parent_id) : undefined
    }
    return path
  }

  onForget(() => {
    departments.value = null
    members.clear()
  })

  return { departments, members, byId, roots, loadTree, loadDepartment, search, searchAll, childrenOf, pathTo }
})
