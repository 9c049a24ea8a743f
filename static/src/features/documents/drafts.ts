/* What somebody has typed into a blank form: on this device as it is typed, at the server every two seconds.
   The last word wins; what the server has not got yet wins over what it has. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { onForget } from "../../store/forgetting"
import { onLeaving } from "../../store/kept"
import { records } from "../../store/records"
import { command } from "../../wire/connection"
import type { Fields, Result } from "../../wire/shapes"

export type Draft = NonNullable<Fields<"documents.keep_draft">["draft"]>
export interface Kept {
  draft: Draft
  /** When it was kept last, by whoever kept it: the server once it has it, until then this device. */
  at: number
  isSent: boolean
}

const device = records<Kept>("start drafts", (list) => list)
const DEVICE_MS = 250
const SERVER_MS = 2_000
/** A command is one frame of at most 64 KiB. */
export const DRAFT_BYTES = 56_000

export function isTooLarge(draft: Draft): boolean {
  return new TextEncoder().encode(JSON.stringify(draft)).length > DRAFT_BYTES
}

/** What goes on: what this device has not handed over, or else what the server has. */
export function newer(here: Kept | undefined, there: Pick<Result<"documents.blank">, "draft" | "draft_at">): Kept | null {
  if (here && !here.isSent) return here
  return there.draft && there.draft_at ? { draft: there.draft, at: there.draft_at, isSent: true } : null
}

export const useStartDrafts = defineStore("start drafts", () => {
  const byWorkflow = shallowReactive(new Map<string, Kept>())
  /** What this device does not have yet as it is held here. */
  const unkept = new Set<string>()
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  let settling: ReturnType<typeof setTimeout> | undefined
  let restoring: Promise<void> | null = null

  function restore(): Promise<void> {
    restoring ??= recall()
    return restoring
  }

  async function recall(): Promise<void> {
    for (const [id, kept] of await device.all()) if (!byWorkflow.has(id) && !unkept.has(id)) byWorkflow.set(id, kept)
  }

  function settle(): void {
    clearTimeout(settling)
    settling = undefined
    for (const id of unkept) {
      const kept = byWorkflow.get(id)
      void (kept ? device.keep(id, kept) : device.drop(id))
    }
    unkept.clear()
  }

  function write(workflowId: string, draft: Draft): void {
    byWorkflow.set(workflowId, { draft: JSON.parse(JSON.stringify(draft)) as Draft, at: Date.now(), isSent: false })
    unkept.add(workflowId)
    settling ??= setTimeout(settle, DEVICE_MS)
    if (!timers.has(workflowId)) timers.set(workflowId, setTimeout(() => void send(workflowId), SERVER_MS))
  }

  /** Hands what is typed over to the server; what it cannot take stays on the device. */
  async function send(workflowId: string): Promise<void> {
    clearTimeout(timers.get(workflowId))
    timers.delete(workflowId)
    const kept = byWorkflow.get(workflowId)
    if (!kept || kept.isSent || isTooLarge(kept.draft)) return
    try {
      const { draft_at } = await command("documents.keep_draft", { workflow_id: workflowId, draft: kept.draft })
      if (byWorkflow.get(workflowId) === kept) take(workflowId, { ...kept, at: draft_at ?? kept.at, isSent: true })
    } catch {
      /* It is on the device; the next word, or the next time the form is opened, tries again. */
    }
  }

  function take(workflowId: string, kept: Kept | null): void {
    if (kept) byWorkflow.set(workflowId, kept)
    else byWorkflow.delete(workflowId)
    unkept.add(workflowId)
    settle()
  }

  /** The server has kept it with the start it was sent for. */
  function handedOver(workflowId: string, at: number): void {
    const kept = byWorkflow.get(workflowId)
    if (kept) take(workflowId, { ...kept, at, isSent: true })
  }

  /** It is being sent, or was: nothing more is to be kept of it from here. */
  function hold(workflowId: string): void {
    clearTimeout(timers.get(workflowId))
    timers.delete(workflowId)
  }

  async function discard(workflowId: string): Promise<void> {
    hold(workflowId)
    take(workflowId, null)
    await command("documents.keep_draft", { workflow_id: workflowId, draft: null })
  }

  function flush(): void {
    if (settling) settle()
    for (const workflowId of [...timers.keys()]) void send(workflowId)
  }
  onLeaving(flush)

  onForget(() => {
    timers.forEach((timer) => clearTimeout(timer))
    timers.clear()
    clearTimeout(settling)
    byWorkflow.clear()
    unkept.clear()
    restoring = null
  })

  return { byWorkflow, restore, write, send, take, handedOver, hold, discard, flush }
})
