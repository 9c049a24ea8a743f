/* A board and a post as this page holds them, and how news changes them. Pure.
   New posts of others wait in `fresh` until somebody asks for them: they never push the page. */
import type { Arrived } from "../../wire/shapes"
import type { Board, Comment, Page, Post, Shown } from "./shapes"

export interface Feed {
  board: Board
  /** Newest first. */
  posts: Post[]
  fresh: Post[]
  /** Of the posts of others, the newest one that is shown. */
  upTo: number
  hasMore: boolean
  position: number
}

export interface Thread {
  board: Board
  post: Post
  /** Oldest first. */
  comments: Comment[]
  hasMore: boolean
  position: number
}

const newestFirst = (one: Post, other: Post): number => other.number - one.number

/** What was loaded, laid over what was held: what is new to the reader waits, but for the own posts. */
export function loaded(held: Feed | undefined, page: Page, myId: string): Feed {
  const { board, posts, has_more: hasMore, position } = page
  const oldest = posts[posts.length - 1]?.number ?? 0
  const connects = held && (oldest <= held.upTo + 1 || !hasMore)
  const upTo = connects ? held.upTo : (posts[0]?.number ?? 0)
  const isFresh = (post: Post): boolean => post.number > upTo && post.author_id !== myId
  return {
    board,
    posts: posts.filter((post) => !isFresh(post)),
    fresh: posts.filter(isFresh),
    upTo,
    hasMore,
    position,
  }
}

/** A further page, older than what is held. */
export function continued(held: Feed, page: Page): Feed {
  const known = new Set(held.posts.map((post) => post.post_id))
  const older = page.posts.filter((post) => !known.has(post.post_id))
  return { ...held, posts: [...held.posts, ...older], hasMore: page.has_more }
}

/** A post that was just written, by the reader or by somebody else. */
export function withPost(held: Feed, post: Post, myId: string): Feed {
  if ([...held.posts, ...held.fresh].some((known) => known.post_id === post.post_id)) return held
  const board = { ...held.board, posts: Math.max(held.board.posts, post.number), last_posted_at: post.posted_at }
  if (post.author_id !== myId) return { ...held, board, fresh: [post, ...held.fresh].sort(newestFirst) }
  return { ...held, board, posts: [post, ...held.posts].sort(newestFirst) }
}

/** The reader wants to see what is new. */
export function withFresh(held: Feed): Feed {
  const posts = [...held.fresh, ...held.posts].sort(newestFirst)
  return { ...held, posts, fresh: [], upTo: posts[0]?.number ?? held.upTo }
}

/** One post changed, wherever it is held. */
export function withChange(held: Feed, postId: string, change: (post: Post) => Post): Feed {
  const changed = (posts: Post[]): Post[] => posts.map((post) => (post.post_id === postId ? change(post) : post))
  return { ...held, posts: changed(held.posts), fresh: changed(held.fresh) }
}

/** A comment arrived: shown when everything before it is. */
export function withComment(held: Thread, comment: Comment, comments: number): Thread {
  const post = { ...held.post, comments: Math.max(held.post.comments, comments) }
  const last = held.comments[held.comments.length - 1]?.number ?? 0
  if (held.hasMore || comment.number <= last) return { ...held, post }
  if (comment.number > last + 1) return { ...held, post, hasMore: true }
  return { ...held, post, comments: [...held.comments, comment] }
}

/** Further comments, newer than what is held. */
export function withComments(held: Thread, { comments, has_more: hasMore, post }: Shown): Thread {
  const last = held.comments[held.comments.length - 1]?.number ?? 0
  const newer = comments.filter((comment) => comment.number > last)
  return { ...held, post, comments: [...held.comments, ...newer], hasMore }
}

type Hiding = Pick<Arrived<"forum.hidden">, "hidden" | "by_moderator" | "reason" | "title" | "text" | "cut">

/** A post after it was hidden or shown again. Who may read hidden words keeps those that are here. */
export function postAfter(post: Post, event: Hiding, keepsWords: boolean): Post {
  const { hidden, by_moderator, reason, title = "", text = "", cut = false } = event
  const fact = { ...post, hidden, by_moderator, reason }
  return keepsWords ? fact : { ...fact, title, text, cut }
}

export function commentAfter(comment: Comment, event: Hiding, keepsWords: boolean): Comment {
  const { hidden, by_moderator, reason, text = "" } = event
  const fact = { ...comment, hidden, by_moderator, reason }
  return keepsWords ? fact : { ...fact, text }
}

/** Liked or no longer, before the server has said so. */
export function likedAs(post: Post, liked: boolean): Post {
  if (post.liked === liked) return post
  return { ...post, liked, likes: Math.max(0, post.likes + (liked ? 1 : -1)) }
}
