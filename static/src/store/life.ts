/* The life of a sign-in on this page: begin from what the device remembers, follow the stream,
   end in one of three ways (signed out, revoked, expired). The only module that knows all stores of the first screen. */
import { defineStore } from "pinia"
import { ref, watch } from "vue"
import { features, fetchFeatures } from "../shell/features"
import { forgetSilentTries, trySilentSignIn, whoCame } from "../shell/silent_sign_in"
import { noteServerTime } from "../wire/clock"
import { command, onLive, start, stop, stream, watchThePage } from "../wire/connection"
import { commandByHttp, signOutByHttp, speakFor } from "../wire/http"
import { asRefusal } from "../wire/refusal"
import type { Conversation, Me, Person, Result } from "../wire/shapes"
import { useConversations } from "./conversations"
import { useDrafts } from "./drafts"
import { forgetTheRest } from "./forgetting"
import { keep, read, useAccount, wipe } from "./kept"
import { useMessages } from "./messages"
import { useOutbox } from "./outbox"
import { usePeople } from "./people"
import { useSession } from "./session"
import { useSettings } from "./settings"
import { useSystemLines, listenForSystemLines, type SystemLine } from "./system_lines"
import { useTodos } from "./todos"

const ACCOUNT_KEY = "yuanxin.account"
const SIGN_OUT_KEY = "yuanxin.sign_out"
const SAVE_AFTER_MS = 1_000

interface Snapshot {
  epoch?: string
  positions: Record<string, number>
  conversations: Conversation[]
  lines: [string, SystemLine[]][]
  count: Result<"todos.count"> | null
  people: Person[]
}

export const useLife = defineStore("life", () => {
  listenForSystemLines()
  const session = useSession()
  const settings = useSettings()
  const people = usePeople()
  const conversations = useConversations()
  const messages = useMessages()
  const outbox = useOutbox()
  const drafts = useDrafts()
  const todos = useTodos()
  const lines = useSystemLines()
  const isReady = ref(false)
  let saving: ReturnType<typeof setTimeout> | undefined
  let isFresh = false
  watch(() => session.myId, speakFor, { flush: "sync" })

  /** Before the first screen: who was here last, and what is remembered of them. */
  async function begin(): Promise<void> {
    const came = whoCame()
    // Whatever a former sign-in left to do here, it was not the one that has just begun.
    if (came) localStorage.removeItem(SIGN_OUT_KEY)
    let account = localStorage.getItem(ACCOUNT_KEY)
    if (account && came && account !== came) {
      await forgetEverything(account)
      account = null
    }
    if (account) {
      useAccount(account)
      const me = await read<Me>("state", "me")
      if (me) {
        session.me = me
        session.isSignedIn = true
        await restore()
      }
    }
    if (!session.isSignedIn && (await endOwedSession())) await recognise()
    isReady.value = true
  }

  async function restore(): Promise<void> {
    const kept = read<Snapshot>("state", "snapshot")
    const [snapshot] = await Promise.all([kept, drafts.restore(), conversations.restoreReads()])
    if (snapshot) {
      stream.kept = { epoch: snapshot.epoch, positions: snapshot.positions }
      people.learn(snapshot.people)
      snapshot.conversations.forEach(conversations.put)
      lines.restore(snapshot.lines)
      todos.count = snapshot.count
    }
    void outbox.restore()
  }

  /** A cookie may be here although nothing is remembered: a link from WeCom, a cleared browser. */
  async function recognise(): Promise<void> {
    try {
      adopt(await commandByHttp("account.me", {}))
    } catch (error) {
      if (asRefusal(error).code === "unauthenticated" && (await trySilentSignIn())) session.farewell = "wecom_failed"
    }
  }

  function adopt(me: Me): void {
    const account = me.person.person_id
    useAccount(account)
    localStorage.setItem(ACCOUNT_KEY, account)
    session.me = me
    session.isSignedIn = true
    session.needsSignIn = false
    session.farewell = null
    forgetSilentTries()
    people.learn([me.person])
    settings.adopt(me.settings)
    void keep("state", "me", me)
  }

  /** After the account form was accepted, on the sign-in page or in place. */
  async function signedIn(personId: string): Promise<void> {
    const before = session.myId || localStorage.getItem(ACCOUNT_KEY)
    if (before && before !== personId) await forgetEverything(before)
    localStorage.removeItem(SIGN_OUT_KEY)
    const wasHere = session.isSignedIn
    adopt(await commandByHttp("account.me", {}))
    isFresh = true
    if (!wasHere) await restore()
    follow()
    outbox.hurry()
  }

  /** Opens the stream; called after the first paint and after each sign-in. */
  function follow(): void {
    if (!session.isSignedIn || session.needsSignIn) return
    start((why) => void ended(why))
    if (!conversations.byId.size && !conversations.isLoaded) void preview()
  }

  /** On a first visit the list need not wait for the socket; it is loaded again after it. */
  async function preview(): Promise<void> {
    try {
      const { conversations: list } = await commandByHttp("chat.conversations", {})
      if (!conversations.isLoaded) list.forEach(conversations.put)
    } catch {
      /* The socket's own load says what is wrong. */
    }
  }

  async function ended(why: "revoked" | "unauthenticated"): Promise<void> {
    stop()
    if (!session.isSignedIn) return
    if (why === "unauthenticated") {
      // Left, or left and another came, in another window: this page begins again, with nothing of ours.
      if (localStorage.getItem(ACCOUNT_KEY) !== session.myId) return location.reload()
      // Leaving the page costs nothing but a moment, unless somebody is in the middle of a word.
      if (!isTyping()) await trySilentSignIn()
      session.needsSignIn = true
      return
    }
    await forgetEverything(session.myId)
    session.farewell = "revoked"
  }

  async function signOut(): Promise<void> {
    const account = session.myId
    stop()
    // Without a network the cookie stays; the next start ends the session before anything else.
    localStorage.setItem(SIGN_OUT_KEY, "owed")
    await endOwedSession()
    await forgetEverything(account)
    session.farewell = "signed_out"
  }

  /** Ends a session that was signed out of while offline; whether nothing is owed any more. */
  async function endOwedSession(): Promise<boolean> {
    if (!localStorage.getItem(SIGN_OUT_KEY)) return true
    try {
      await signOutByHttp()
    } catch (error) {
      if (asRefusal(error).code !== "unauthenticated") return false
    }
    localStorage.removeItem(SIGN_OUT_KEY)
    return true
  }

  async function forgetEverything(account: string): Promise<void> {
    clearTimeout(saving)
    stop()
    stream.forget()
    for (const store of [conversations, messages, outbox, drafts, todos, people, lines]) store.forget()
    for (const feature of features.value) feature.badge?.forget()
    forgetTheRest()
    session.me = null
    session.isSignedIn = false
    session.needsSignIn = false
    isFresh = false
    if (localStorage.getItem(ACCOUNT_KEY) === account) localStorage.removeItem(ACCOUNT_KEY)
    await wipe(account)
  }

  function save(): void {
    clearTimeout(saving)
    saving = setTimeout(() => {
      if (!session.isSignedIn || !conversations.isLoaded) return
      const { epoch, positions } = stream.kept
      const snapshot: Snapshot = {
        epoch,
        positions: { ...positions },
        conversations: [...conversations.byId.values()],
        lines: [...lines.byConversation],
        count: todos.count,
        people: [...people.byId.values()],
      }
      void keep("state", "snapshot", snapshot)
    }, SAVE_AFTER_MS)
  }

  async function refreshAll(): Promise<void> {
    const loads: Promise<unknown>[] = [todos.loadCount, refreshBadges].map((load) => load().catch(() => undefined))
    if (!conversations.isLoaded) loads.push(conversations.load())
    if (!isFresh)
      loads.push(
        command("account.me", {})
          .then((me) => {
            isFresh = true
            adopt(me)
          })
          .catch(() => undefined),
      )
    await Promise.all(loads)
    save()
  }

  async function refreshBadges(): Promise<void> {
    await fetchFeatures()
    await Promise.allSettled(features.value.map(({ badge }) => badge?.refresh()))
  }

  stream.onReload(() => {
    conversations.isLoaded = false
    messages.distrust()
  })
  stream.onMoved(save)
  stream.on("chat.sent", ({ message }) => {
    if (message.sender_id !== session.myId) noteServerTime(newer(message.sent_at))
  })
  onLive(() => void refreshAll())

  return { isReady, begin, signedIn, follow, signOut }
})

function isTyping(): boolean {
  const at = document.activeElement
  return (at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement) && at.value !== ""
}

/** A message that claims to come from the future means that our clock is behind. */
function newer(sentAt: number): number | null {
  return sentAt > Date.now() + 5_000 ? sentAt : null
}

export function watchForWaking(): void {
  watchThePage()
}
