/* Groups shown in WeCom: asked for once per group on screen, then moved along by events. */
import { defineStore } from "pinia"
import { shallowReactive } from "vue"
import { command, stream } from "../wire/connection"
import type { MirrorOffer, Mirroring } from "../wire/shapes"
import { onForget } from "./forgetting"

export const useMirrors = defineStore("mirrors", () => {
  const byConversation = shallowReactive(new Map<string, Mirroring>())
  const offers = shallowReactive(new Map<string, MirrorOffer>())
  const told = new Map<string, number>()

  /** Fresh from the server; what is told meanwhile is newer. */
  async function load(conversation_id: string): Promise<void> {
    const before = told.get(conversation_id)
    const { offer, mirror } = await command("chat.mirror", { conversation_id })
    offers.set(conversation_id, offer)
    if (told.get(conversation_id) === before) byConversation.set(conversation_id, mirror)
  }

  async function need(id: string): Promise<void> {
    if (!byConversation.has(id)) await load(id)
  }

  async function set(conversation_id: string, is_on: boolean, with_messages: boolean): Promise<void> {
    const before = told.get(conversation_id)
    const { mirror } = await command("chat.set_mirror", { conversation_id, is_on, with_messages })
    if (told.get(conversation_id) === before) byConversation.set(conversation_id, mirror)
  }

  async function retry(conversation_id: string): Promise<void> {
    await command("chat.retry_mirror", { conversation_id })
  }

  stream.on("chat.mirrored", ({ conversation_id, mirror, at }) => {
    told.set(conversation_id, at)
    byConversation.set(conversation_id, mirror)
  })
  stream.onReload(forget)
  onForget(forget)

  function forget(): void {
    byConversation.clear()
    offers.clear()
    told.clear()
  }

  return { byConversation, offers, load, need, set, retry }
})
