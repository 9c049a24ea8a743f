/* 常用: the few tiles somebody wants first, in their own order, kept on this device. */
import { defineStore } from "pinia"
import { ref } from "vue"
import { onForget } from "./forgetting"
import { keep, read } from "./kept"

export const MOST_FAVOURITES = 8
const FIRST = ["/todos?state=pending", "/mail", "/dashboard", "/forum"]
const KEY = "favourites"

/** A list with one of its items at another place. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const rest = items.filter((_, place) => place !== from)
  return [...rest.slice(0, to), ...items.slice(from, from + 1), ...rest.slice(to)]
}

export const useFavourites = defineStore("favourites", () => {
  /** Addresses of tiles; some may belong to a tile that is not shown to this person. */
  const paths = ref<string[]>(FIRST)

  async function recollect(): Promise<void> {
    paths.value = (await read<string[]>("state", KEY)) ?? FIRST
  }

  function change(to: string[]): void {
    paths.value = to
    void keep("state", KEY, [...to])
  }

  /** Whether it could be done: there is room for a few only. */
  function toggle(path: string): boolean {
    const without = paths.value.filter((held) => held !== path)
    if (without.length === paths.value.length && without.length >= MOST_FAVOURITES) return false
    change(without.length < paths.value.length ? without : [...paths.value, path])
    return true
  }

  /** Puts one favourite where another is. */
  function move(path: string, before: string): void {
    const from = paths.value.indexOf(path)
    const to = paths.value.indexOf(before)
    if (from >= 0 && to >= 0 && from !== to) change(moved(paths.value, from, to))
  }

  onForget(() => (paths.value = FIRST))
  return { paths, recollect, toggle, move }
})
