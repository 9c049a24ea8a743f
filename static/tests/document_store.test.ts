import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { draftKey, useDocuments } from "../src/features/documents/store"
import type { Act } from "../src/features/documents/shapes"
import { useDrafts } from "../src/store/drafts"

/* What a server answers, over HTTP because nothing is connected here. */
let known: Act | null = null
const answers = {
  "documents.act": () => ({ act: known }),
  "documents.open": () => ({ request_id: "7", title: "排班", actions: [], last_act: known }),
}

function serve(url: string, init: RequestInit): Response {
  const name = url.split("commands/")[1] as keyof typeof answers
  const { client_id = known?.client_id ?? "", action = "forward" } = JSON.parse(String(init.body)) as Partial<Act>
  if (name === "documents.act") known = done({ client_id, action })
  return new Response(JSON.stringify({ ok: true, result: answers[name]() }))
}

const done = (change: Partial<Act>): Act => ({ client_id: "c", action: "approve", state: "done", asked_at: 1, opinion: "", reason: "", may_repeat: false, ...change })

beforeEach(() => {
  known = null
  setActivePinia(createPinia())
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => serve(url, init))
})
afterEach(() => vi.unstubAllGlobals())

describe("words meant for a document", () => {
  it("go when they were sent, and not when the document is opened again", async () => {
    const [documents, drafts] = [useDocuments(), useDrafts()]
    drafts.write(draftKey("7"), "请看")
    await documents.act({ request_id: "7", action: "forward", opinion: "请看" }, "排班")
    expect(drafts.byConversation.has(draftKey("7"))).toBe(false)

    drafts.write(draftKey("7"), "同意，请尽快")
    await documents.open("7")
    expect(drafts.byConversation.get(draftKey("7"))).toBe("同意，请尽快")
  })
})

describe("the end of an act", () => {
  it("stands against an answer that was on its way before it", async () => {
    const documents = useDocuments()
    documents.ended("7", "排班", done({}))
    known = done({ state: "asked" })
    await documents.open("7")
    expect(documents.acts.get("7")?.state).toBe("done")
  })

  it("gives way to a later try of the same", async () => {
    const documents = useDocuments()
    documents.ended("7", "排班", done({ state: "refused" }))
    known = done({ state: "asked", asked_at: 2 })
    await documents.open("7")
    expect(documents.acts.get("7")?.state).toBe("asked")
  })
})
