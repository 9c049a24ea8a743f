import { describe, expect, it } from "vitest"
import { commentAfter, continued, likedAs, loaded, postAfter, withChange, withComment, withFresh, withPost, type Feed, type Thread } from "../src/features/forum/feed"
import type { Board, Comment, Page, Post } from "../src/features/forum/shapes"

const board: Board = { board_id: "b", title: "交流区", about: "", closed: false, posts: 0, last_posted_at: null, moderates: false, may_post: true }
const SHOWN = { hidden: false, by_moderator: false, reason: "" }
const HIDDEN = { hidden: true, by_moderator: true, reason: "广告", title: "", text: "", cut: false }

function post(number: number, author_id = "other", more: Partial<Post> = {}): Post {
  return { post_id: `p${number}`, board_id: "b", number, author_id, author_name: author_id, title: "", text: `第${number}帖`, cut: false, posted_at: number, likes: 0, liked: false, comments: 0, ...SHOWN, ...more }
}
function comment(number: number, more: Partial<Comment> = {}): Comment {
  return { comment_id: `c${number}`, number, author_id: "other", author_name: "", text: "好", commented_at: number, reply_to: null, reply_to_name: "", ...SHOWN, ...more }
}
function page(numbers: number[], more: Partial<Page> = {}): Page {
  return { board, posts: numbers.map((n) => post(n)), has_more: false, position: 10, ...more }
}
const numbers = (posts: Post[]): number[] => posts.map(({ number }) => number)
const feedOf = (...of: number[]): Feed => loaded(undefined, page(of), "me")

describe("a feed", () => {
  it("shows at once what there is on the first visit", () => {
    const feed = feedOf(3, 2, 1)
    expect([numbers(feed.posts), numbers(feed.fresh), feed.upTo]).toEqual([[3, 2, 1], [], 3])
  })

  it("keeps new posts of others back and shows the own ones at once", () => {
    const feed = withPost(withPost(feedOf(1), post(2), "me"), post(3, "me"), "me")
    expect([numbers(feed.posts), numbers(feed.fresh)]).toEqual([[3, 1], [2]])
    expect(numbers(withFresh(feed).posts)).toEqual([3, 2, 1])
  })

  it("takes a post that comes twice once", () => {
    const once = withPost(feedOf(1), post(2), "me")
    expect(withPost(once, post(2), "me")).toBe(once)
    expect(withPost(once, post(1), "me")).toBe(once)
  })

  it("keeps back after a reload what was not shown before", () => {
    const again = loaded(feedOf(2, 1), page([5, 4, 3, 2, 1]), "me")
    expect([numbers(again.posts), numbers(again.fresh)]).toEqual([[2, 1], [5, 4, 3]])
  })

  it("begins anew when a reload does not reach what was shown", () => {
    const again = loaded(feedOf(2, 1), page([30, 29, 28], { has_more: true }), "me")
    expect([numbers(again.posts), numbers(again.fresh), again.upTo]).toEqual([[30, 29, 28], [], 30])
  })

  it("continues with older posts, each once", () => {
    const held = loaded(undefined, page([4, 3], { has_more: true }), "me")
    const all = continued(held, page([3, 2, 1]))
    expect([numbers(all.posts), all.hasMore]).toEqual([[4, 3, 2, 1], false])
  })

  it("changes a post wherever it waits", () => {
    const feed = withChange(withPost(feedOf(1), post(2), "me"), "p2", (held) => ({ ...held, likes: 7 }))
    expect(feed.fresh[0]?.likes).toBe(7)
  })
})

describe("a post", () => {
  it("is liked and no longer, never below nothing", () => {
    const liked = likedAs(post(1), true)
    expect([liked.liked, liked.likes]).toEqual([true, 1])
    expect(likedAs(liked, true)).toBe(liked)
    expect(likedAs(post(1, "other", { liked: true }), false).likes).toBe(0)
  })

  it("loses its words when hidden, but for whoever may read them", () => {
    expect(postAfter(post(1), HIDDEN, false)).toMatchObject({ text: "", hidden: true, reason: "广告" })
    expect(postAfter(post(1), HIDDEN, true)).toMatchObject({ text: "第1帖", hidden: true })
    const back = { ...SHOWN, title: "题", text: "第1帖", cut: true }
    expect(postAfter(post(1, "other", { text: "" }), back, false)).toMatchObject(back)
    expect(commentAfter(comment(1), HIDDEN, false).text).toBe("")
  })
})

describe("a thread", () => {
  const thread: Thread = { board, post: post(1), comments: [comment(1)], hasMore: false, position: 1 }

  it("takes the next comment once and counts", () => {
    const next = withComment(thread, comment(2), 2)
    expect(next.comments.map((one) => one.number)).toEqual([1, 2])
    expect(withComment(next, comment(2), 2).comments).toHaveLength(2)
    expect(next.post.comments).toBe(2)
  })

  it("asks for what lies between instead of leaving a gap", () => {
    const next = withComment(thread, comment(4), 4)
    expect([next.comments.length, next.hasMore, next.post.comments]).toEqual([1, true, 4])
  })
})
