/* The forum as the server last told it: boards, the feeds and posts that were opened, and what I wrote
   that the server has not taken yet. A feed or post follows its board's channel while it is looked at. */
import { defineStore } from "pinia"
import { shallowReactive, shallowRef } from "vue"
import { newClientId } from "../../store/client_id"
import { onForget } from "../../store/forgetting"
import { drop, keep, read } from "../../store/kept"
import { useSession } from "../../store/session"
import { command, isLive, stream } from "../../wire/connection"
import { asRefusal, type Refusal } from "../../wire/refusal"
import type { Arrived } from "../../wire/shapes"
import { watchChannel } from "../../wire/watching"
import { commentAfter, continued, likedAs, loaded, postAfter, withChange, withComment, withComments, withFresh, withPost, type Feed, type Thread } from "./feed"
import type { Answer, Board, Comment, Post } from "./shapes"

const POSTS = 20
const MOST_POSTS = 50
const COMMENTS = 50
/** Characters of a post that a list shows. */
const CUT = 500
/** Pages that are read again after a lost line, at most. */
const MOST_PAGES = 6

/** A comment on its way; `failure` says why it is not there yet. */
export interface Pending {
  client_id: string
  text: string
  reply_to: string | null
  reply_to_name: string
  failure: string | null
}

export const useForum = defineStore("forum", () => {
  const session = useSession()
  const boards = shallowRef<Board[] | null>(null)
  const answers = shallowRef<Answer[] | null>(null)
  const feeds = shallowReactive(new Map<string, Feed>())
  const threads = shallowReactive(new Map<string, Thread>())
  const pending = shallowReactive(new Map<string, Pending[]>())
  /** By board, by post, and under "boards" and "answers": why it could not be loaded. */
  const failures = shallowReactive(new Map<string, Refusal>())
  /** The row that stood at the top of a feed when it was left. */
  const places = new Map<string, string>()
  /** The posts on the screen. */
  const open = new Set<string>()

  async function attempt(place: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      failures.delete(place)
    } catch (error) {
      refuse(place, asRefusal(error))
    }
  }

  /** What one may not see any more is not kept either. */
  function refuse(place: string, why: Refusal): void {
    failures.set(place, why)
    if (why.code !== "not_found") return
    feeds.delete(place)
    threads.delete(place)
    void drop("state", `forum ${place}`)
  }

  /** News of a board that comes while something of it is being loaded. */
  interface Meanwhile {
    channel: string
    heard: { position: number; apply: () => void }[]
  }
  const underWay = new Set<Meanwhile>()

  function hear({ channel, position }: { channel: string; position: number | null }, apply: () => void): void {
    apply()
    for (const load of underWay) if (load.channel === channel) load.heard.push({ position: position ?? 0, apply })
  }

  /** A load says up to where it knows the board; what was told since is laid over it. */
  async function loading(boardId: string, place: string, work: () => Promise<number>): Promise<void> {
    const mine: Meanwhile = { channel: `forum:${boardId}`, heard: [] }
    underWay.add(mine)
    await attempt(place, async () => {
      const knows = await work()
      for (const { position, apply } of mine.heard) if (position > knows) apply()
    })
    underWay.delete(mine)
  }

  // Boards, and where I was answered

  async function loadBoards(): Promise<void> {
    boards.value ??= (await read<Board[]>("state", "forum boards")) ?? null
    await attempt("boards", async () => {
      boards.value = (await command("forum.boards", {})).boards
      void keep("state", "forum boards", boards.value)
    })
  }

  async function loadAnswers(): Promise<void> {
    await attempt("answers", async () => {
      answers.value = (await command("forum.answers", {})).answers
    })
  }

  // Feeds

  function setFeed(feed: Feed): void {
    feeds.set(feed.board.board_id, feed)
  }

  async function recollect(boardId: string): Promise<void> {
    if (feeds.has(boardId)) return
    const kept = await read<Feed>("state", `forum ${boardId}`)
    if (kept && !feeds.has(boardId)) setFeed(kept)
  }

  function keepFeed(boardId: string): void {
    const feed = feeds.get(boardId)
    if (feed) void keep("state", `forum ${boardId}`, { ...feed, posts: feed.posts.slice(0, POSTS), fresh: [], hasMore: true })
  }

  /** Everything that is held, afresh. */
  async function loadFeed(boardId: string): Promise<void> {
    await loading(boardId, boardId, async () => {
      const held = feeds.get(boardId)
      const until = held?.posts[held.posts.length - 1]?.number ?? Infinity
      const limit = held && held.posts.length > POSTS ? MOST_POSTS : POSTS
      let page = await command("forum.list", { board_id: boardId, limit })
      for (let n = 1; n < MOST_PAGES && page.has_more; n++) {
        const before = page.posts[page.posts.length - 1]?.number ?? 0
        if (before <= until) break
        const next = await command("forum.list", { board_id: boardId, limit, before })
        page = { ...next, position: page.position, posts: [...page.posts, ...next.posts] }
      }
      setFeed(loaded(feeds.get(boardId), page, session.myId))
      keepFeed(boardId)
      return page.position
    })
  }

  async function loadOlder(boardId: string): Promise<void> {
    const before = feeds.get(boardId)?.posts.slice(-1)[0]?.number
    if (!before) return
    await loading(boardId, boardId, async () => {
      const page = await command("forum.list", { board_id: boardId, before, limit: POSTS })
      const feed = feeds.get(boardId)
      if (feed) setFeed(continued(feed, page))
      return page.position
    })
  }

  function showFresh(boardId: string): void {
    const feed = feeds.get(boardId)
    if (!feed) return
    setFeed(withFresh(feed))
    keepFeed(boardId)
  }

  /** Writes a post; it stands in the feed at once when the server has it. Throws a Refusal. */
  async function write(boardId: string, clientId: string, title: string, text: string): Promise<void> {
    await command("forum.post", { board_id: boardId, client_id: clientId, title, text })
    places.delete(boardId)
    await loadFeed(boardId)
  }

  // One post

  async function loadThread(postId: string): Promise<void> {
    await recollectPending(postId)
    await loading(threads.get(postId)?.board.board_id ?? "", postId, async () => {
      const wanted = threads.get(postId)?.comments.length ?? 0
      const first = await command("forum.show", { post_id: postId, limit: COMMENTS })
      const { board, post, comments, has_more: hasMore, position } = first
      let thread: Thread = { board, post, comments, hasMore, position }
      for (let n = 1; n < MOST_PAGES && thread.hasMore && thread.comments.length < wanted; n++)
        thread = withComments(thread, await further(thread))
      threads.set(postId, thread)
      setPost(thread.post)
      return position
    })
  }

  function further(thread: Thread): ReturnType<typeof command<"forum.show">> {
    const after = thread.comments[thread.comments.length - 1]?.number ?? 0
    return command("forum.show", { post_id: thread.post.post_id, after, limit: COMMENTS })
  }

  async function loadComments(postId: string): Promise<void> {
    const thread = threads.get(postId)
    if (!thread) return
    await loading(thread.board.board_id, postId, async () => {
      const shown = await further(thread)
      const held = threads.get(postId)
      if (held) threads.set(postId, withComments(held, shown))
      return shown.position
    })
  }

  /** A post as it is now, in its feed cut as a list shows it. */
  function setPost(whole: Post): void {
    const feed = feeds.get(whole.board_id)
    const letters = [...whole.text]
    const post = { ...whole, text: letters.slice(0, CUT).join(""), cut: letters.length > CUT }
    if (feed) setFeed(withChange(feed, whole.post_id, () => post))
  }

  /** Changes a post wherever it is held. */
  function change(postId: string, to: (post: Post) => Post): void {
    for (const feed of feeds.values()) setFeed(withChange(feed, postId, to))
    const thread = threads.get(postId)
    if (thread) threads.set(postId, { ...thread, post: to(thread.post) })
  }

  // What I do

  const turns = new Map<string, number>()

  /** Shows at once; what the server says last holds. */
  async function like(post: Post): Promise<void> {
    const { post_id } = post
    const liked = !post.liked
    const turn = (turns.get(post_id) ?? 0) + 1
    turns.set(post_id, turn)
    change(post_id, (held) => likedAs(held, liked))
    try {
      const { likes } = await command("forum.like", { post_id, liked })
      if (turns.get(post_id) === turn) change(post_id, (held) => ({ ...held, liked, likes }))
    } catch (error) {
      if (turns.get(post_id) === turn) change(post_id, (held) => likedAs(held, !liked))
      throw error
    }
  }

  async function hide(what: { post_id: string } | { comment_id: string }, hidden: boolean, reason = ""): Promise<void> {
    await command("forum.hide", { ...what, hidden, reason })
  }

  // Comments on their way

  async function recollectPending(postId: string): Promise<void> {
    if (pending.has(postId)) return
    const kept = (await read<Pending[]>("state", `forum pending ${postId}`)) ?? []
    if (!pending.has(postId) && kept.length)
      pending.set(postId, kept.map((one) => ({ ...one, failure: one.failure ?? "offline" })))
  }

  function setPending(postId: string, list: Pending[]): void {
    pending.set(postId, list)
    const key = `forum pending ${postId}`
    void (list.length ? keep("state", key, list) : drop("state", key))
  }

  function discard(postId: string, clientId: string): void {
    setPending(postId, (pending.get(postId) ?? []).filter((one) => one.client_id !== clientId))
  }

  async function comment(postId: string, text: string, replyTo: Comment | null): Promise<void> {
    await send(postId, {
      client_id: newClientId(),
      text,
      reply_to: replyTo?.comment_id ?? null,
      reply_to_name: replyTo?.author_name ?? "",
      failure: null,
    })
  }

  async function send(postId: string, one: Pending): Promise<void> {
    const { client_id, text, reply_to } = one
    const others = (pending.get(postId) ?? []).filter((other) => other.client_id !== client_id)
    setPending(postId, [...others, { ...one, failure: null }])
    try {
      const { comment: written, comments } = await command("forum.comment", { post_id: postId, client_id, text, reply_to })
      discard(postId, client_id)
      arrived(postId, written, comments)
    } catch (error) {
      const failure = asRefusal(error).code
      setPending(postId, (pending.get(postId) ?? []).map((other) => (other.client_id === client_id ? { ...other, failure } : other)))
    }
  }

  function arrived(postId: string, comment: Comment, comments: number): void {
    const thread = threads.get(postId)
    if (thread) threads.set(postId, withComment(thread, comment, comments))
    for (const feed of feeds.values())
      setFeed(withChange(feed, postId, (post) => ({ ...post, comments: Math.max(post.comments, comments) })))
  }

  // What is told

  /** Looks at a board until what comes back is called. */
  function lookAtFeed(boardId: string): () => void {
    const load = (): void => void loadFeed(boardId)
    if (!isLive.value) load()
    return watchChannel(`forum:${boardId}`, { started: load, refused: (why) => refuse(boardId, why) })
  }

  /** Looks at a post that has been loaded, until what comes back is called. */
  function lookAtThread(postId: string, boardId: string): () => void {
    open.add(postId)
    const look = watchChannel(`forum:${boardId}`, {
      started: ({ position }) => {
        if (threads.get(postId)?.position === position) failures.delete(postId)
        else void loadThread(postId)
      },
      refused: (why) => refuse(postId, why),
    })
    return () => {
      open.delete(postId)
      look()
    }
  }

  stream.on("forum.posted", (event) =>
    hear(event, () => {
      const feed = feeds.get(event.post.board_id)
      if (feed) setFeed(withPost(feed, event.post, session.myId))
    }),
  )
  stream.on("forum.commented", (event) => hear(event, () => arrived(event.post_id, event.comment, event.comments)))
  stream.on("forum.liked", (event) =>
    hear(event, () =>
      change(event.post_id, (post) => ({
        ...post,
        likes: event.likes,
        liked: event.person_id === session.myId ? event.liked : post.liked,
      })),
    ),
  )
  stream.on("forum.hidden", (event) => {
    hear(event, () => hidden(event))
    const thread = threads.get(event.post_id)
    if (event.cut && thread) void loadThread(event.post_id)
  })

  function hidden(event: Arrived<"forum.hidden">): void {
    const boardId = event.channel.slice("forum:".length)
    const thread = threads.get(event.post_id)
    const moderates = (feeds.get(boardId) ?? thread)?.board.moderates ?? false
    const keepsWords = (writing: Post | Comment): boolean => moderates || writing.author_id === session.myId
    if (!event.comment_id) {
      change(event.post_id, (post) => postAfter(post, event, keepsWords(post)))
      keepFeed(boardId)
    } else if (thread) {
      const changed = (one: Comment): Comment =>
        one.comment_id === event.comment_id ? commentAfter(one, event, keepsWords(one)) : one
      threads.set(event.post_id, { ...thread, comments: thread.comments.map(changed) })
    }
  }

  /* Everybody who looked was sent away; who may look asks again, and loads what has changed. */
  stream.on("forum.board_changed", ({ channel }) => stream.again.get(channel)?.())
  stream.on("forum.answered", ({ post_id, unread }) => {
    answers.value = answers.value && answers.value.map((one) => (one.post_id === post_id ? { ...one, unread } : one))
    if (unread && answers.value) void loadAnswers()
    /* Whoever is reading the post right now has seen it with the next load. */
    if (unread && open.has(post_id) && document.visibilityState === "visible") void loadThread(post_id)
  })

  onForget(() => {
    boards.value = answers.value = null
    for (const held of [feeds, threads, pending, failures, places, turns]) held.clear()
  })

  return {
    boards, answers, feeds, threads, pending, failures, places,
    loadBoards, loadAnswers, recollect, loadFeed, loadOlder, showFresh, write,
    loadThread, loadComments, like, hide, comment, send, discard, lookAtFeed, lookAtThread,
  }
})
