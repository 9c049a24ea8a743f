import { createPinia, setActivePinia } from "pinia"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { Comment, Post } from "../src/features/forum/shapes"
import { useForum } from "../src/features/forum/store"
import { stream } from "../src/wire/connection"
import type { Arrived } from "../src/wire/shapes"

const SHOWN = { hidden: false, by_moderator: false, reason: "" }
const board = { board_id: "b", title: "", about: "", closed: false, posts: 9, last_posted_at: 1, moderates: false, may_post: true }
const post = (number: number): Post => ({ post_id: `p${number}`, board_id: "b", number, author_id: "other", author_name: "", title: "", text: "张三", cut: false, posted_at: 1, likes: 0, liked: false, comments: 2, ...SHOWN })
const comment = (number: number): Comment => ({ comment_id: `c${number}`, number, author_id: "other", author_name: "", text: "张三", commented_at: 1, reply_to: null, reply_to_name: "", ...SHOWN })
const hidden = (position: number, comment_id: string | null): Arrived<"forum.hidden"> =>
  ({ channel: "forum:b", position, post_id: "p1", comment_id, hidden: true, by_moderator: true, reason: "隐私", title: "", text: "", cut: false })

/* What a server answers, over HTTP because nothing is connected here. A further page was read at position 5
   and comes when the news of position 6 is here already. */
const answers: Record<string, (fields: { before?: number; after?: number }) => object> = {
  "forum.list": ({ before }) => ({ board, posts: before ? [post(1)] : [post(2)], has_more: !before, position: 5 }),
  "forum.show": ({ after }) => ({ board, post: post(1), comments: after ? [comment(2)] : [comment(1)], has_more: !after, position: 5 }),
}

async function serve(url: string, init: RequestInit): Promise<Response> {
  const fields = JSON.parse(String(init.body)) as { before?: number; after?: number }
  const result = answers[url.split("commands/")[1] ?? ""]?.(fields)
  if (fields.before || fields.after) stream.receive("forum.hidden", hidden(6, fields.after ? "c2" : null))
  return new Response(JSON.stringify({ ok: true, result }))
}

beforeEach(() => {
  setActivePinia(createPinia())
  stream.restart("forum:b")
  vi.stubGlobal("fetch", serve)
})
afterEach(() => vi.unstubAllGlobals())

it("shows no words of an older post that was hidden while its page was on the way", async () => {
  const forum = useForum()
  await forum.loadFeed("b")
  await forum.loadOlder("b")

  expect(forum.feeds.get("b")?.posts.map(({ hidden, text }) => [hidden, text])).toEqual([[false, "张三"], [true, ""]])
})

it("shows no words of a further comment that was hidden while its page was on the way", async () => {
  const forum = useForum()
  await forum.loadThread("p1")
  await forum.loadComments("p1")

  expect(forum.threads.get("p1")?.comments.map(({ hidden, text }) => [hidden, text])).toEqual([[false, "张三"], [true, ""]])
})
