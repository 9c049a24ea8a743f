import { createPinia, setActivePinia } from "pinia"
import { beforeEach, describe, expect, it, vi } from "vitest"
import { MOST_FAVOURITES, moved, useFavourites } from "../src/store/favourites"
import { forgetTheRest } from "../src/store/forgetting"
import { read, useAccount } from "../src/store/kept"

describe("favourites", () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    useAccount("s0001")
  })

  it("stand where they were put", () => {
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"])
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"])
    expect(moved(["a", "b", "c"], 1, 1)).toEqual(["a", "b", "c"])
  })

  it("are a few, and say when there is no more room", () => {
    const favourites = useFavourites()
    for (let n = favourites.paths.length; n < MOST_FAVOURITES; n++) expect(favourites.toggle(`/${n}`)).toBe(true)

    expect(favourites.toggle("/one too many")).toBe(false)
    expect(favourites.toggle("/mail")).toBe(true)
    expect(favourites.paths).not.toContain("/mail")
  })

  it("are found again on the next visit, and forgotten with the person", async () => {
    const favourites = useFavourites()
    favourites.toggle("/mail")
    favourites.move("/forum", "/dashboard")
    const arranged = [...favourites.paths]
    await vi.waitFor(async () => expect(await read("state", "favourites")).toEqual(arranged))

    setActivePinia(createPinia())
    const again = useFavourites()
    await again.recollect()
    expect(again.paths).toEqual(arranged)

    forgetTheRest()
    expect(again.paths).toContain("/mail")
  })
})
