import { forceCloseDatabase } from "fake-indexeddb"
import { describe, expect, it, vi } from "vitest"
import { reactive } from "vue"
import { drop, keep, read, readAll, useAccount, wipe } from "../src/store/kept"

describe("what stays on the device", () => {
  it("is there for the same person after a reload and for nobody else", async () => {
    useAccount("s0001")
    await keep("outbox", "k1", { text: "好" })
    useAccount("s0002")
    expect(await readAll("outbox")).toEqual([])

    useAccount("s0001")

    expect(await readAll("outbox")).toEqual([["k1", { text: "好" }]])
  })

  it("is kept though it is reactive", async () => {
    useAccount("s0001")

    expect(await keep("drafts", "m1", { to: reactive(["s0002"]) })).toBe(true)
    expect(await read("drafts", "m1")).toEqual({ to: ["s0002"] })
  })

  it("is kept also after the system has closed the database", async () => {
    useAccount("s0001")
    const openings = vi.spyOn(indexedDB, "open")
    await wipe("s0001")
    useAccount("s0001")
    await keep("drafts", "c1", "写了一半")
    forceCloseDatabase((openings.mock.results[0]?.value as IDBOpenDBRequest).result as never)
    await vi.waitFor(async () => expect(await keep("drafts", "c1", "写完了")).toBe(true))

    expect(await read("drafts", "c1")).toBe("写完了")
  })

  it("goes when dropped", async () => {
    useAccount("s0001")
    await keep("drafts", "c1", "写了一半")
    await drop("drafts", "c1")

    expect(await read("drafts", "c1")).toBeUndefined()
  })

  it("is gone for good after a sign-out", async () => {
    useAccount("s0001")
    await keep("state", "me", 1)
    await wipe("s0001")
    useAccount("s0001")

    expect(await read("state", "me")).toBeUndefined()
  })

  it("answers that nothing was kept when there is no account", async () => {
    await wipe("s0001")

    expect(await keep("state", "me", 1)).toBe(false)
  })
})
