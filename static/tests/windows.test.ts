import { createPinia, setActivePinia } from "pinia"
import { beforeEach, expect, it, vi } from "vitest"
import { useStartDrafts } from "../src/features/documents/drafts"
import { useMailDrafts } from "../src/features/mail/drafts"
import { BLANK, letterOf, type Draft } from "../src/features/mail/letter"
import { useUnsent } from "../src/features/mail/unsent"
import { keep, read, useAccount, wipe } from "../src/store/kept"

const draft = (subject: string): Draft => ({ ...BLANK, person_ids: ["s0002"], subject })

/* A window is a set of stores of its own over the device they share. */
function inNewWindow<T>(store: () => T): T {
  setActivePinia(createPinia())
  return store()
}

beforeEach(async () => {
  await wipe("s0001")
  useAccount("s0001")
})

async function keptDrafts(): Promise<[string, string][]> {
  const drafts = inNewWindow(useMailDrafts)
  await drafts.restore()
  return [...drafts.byKey].map(([key, { subject }]) => [key, subject])
}

it("what one window writes stands though another one writes something else", async () => {
  const [one, other] = [inNewWindow(useMailDrafts), inNewWindow(useMailDrafts)]
  one.write("new:", draft("排班"))
  other.write("reply:7", draft("回复：会诊"))
  await vi.waitFor(() => expect([one.isKept, other.isKept]).toEqual([true, true]))
  expect(await keptDrafts()).toEqual([["new:", "排班"], ["reply:7", "回复：会诊"]])

  await other.restore()
  one.remove("new:")
  await vi.waitFor(async () => expect(await keptDrafts()).toEqual([["reply:7", "回复：会诊"]]))
  other.write("reply:7", draft("回复：会诊改期"))
  await vi.waitFor(async () => expect(await keptDrafts()).toEqual([["reply:7", "回复：会诊改期"]]))
})

it("a mail that waits for the line is not forgotten for one that waits in another window", async () => {
  const [one, other] = [inNewWindow(useUnsent), inNewWindow(useUnsent)]
  await Promise.all([one.restore(), other.restore()])
  await one.send(letterOf(draft("排班")))
  await other.send(letterOf(draft("会诊")))

  const reloaded = inNewWindow(useUnsent)
  await reloaded.restore()
  expect(new Set(reloaded.entries.map(({ letter }) => letter.subject))).toEqual(new Set(["排班", "会诊"]))
})

it("a form begun in one window stands though another one fills another form", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")))
  const form = (title: string) => ({ title, fields: {}, tables: [], rows: [] }) as never
  const [one, other] = [inNewWindow(useStartDrafts), inNewWindow(useStartDrafts)]
  one.write("7", form("请假"))
  other.write("9", form("采购"))
  one.flush()
  other.flush()

  await vi.waitFor(async () => {
    const reloaded = inNewWindow(useStartDrafts)
    await reloaded.restore()
    expect([...reloaded.byWorkflow.keys()]).toEqual(["7", "9"])
  })
  vi.unstubAllGlobals()
})

it("what an earlier version kept as one record is found", async () => {
  await keep("state", "mail drafts", [["new:", draft("旧稿")]])
  await keep("state", "mail unsent", [{ client_id: "c1", created_at: 1, tries: 0, not_before: 0, state: "waiting", letter: letterOf(draft("旧信")) }])

  expect(await keptDrafts()).toEqual([["new:", "旧稿"]])
  const unsent = inNewWindow(useUnsent)
  await unsent.restore()
  expect(unsent.entries.map(({ letter }) => letter.subject)).toEqual(["旧信"])
  expect([await read("state", "mail drafts"), await read("state", "mail unsent")]).toEqual([undefined, undefined])
})
