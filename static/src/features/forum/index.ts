/* 论坛: boards with posts and comments. The number on its tile is how many posts of mine, or with
   comments of mine, somebody has answered since I opened them. */
import { computed, shallowRef } from "vue"
import { screen, type AppFeature, type Badge } from "../../shell/feature"
import { command, stream } from "../../wire/connection"

const answered = shallowRef(new Set<string>())

stream.on("forum.answered", ({ post_id, unread }) => {
  const posts = new Set(answered.value)
  if (unread) posts.add(post_id)
  else posts.delete(post_id)
  answered.value = posts
})

const badge: Badge = {
  n: computed(() => answered.value.size),
  refresh: async () => {
    const { answers } = await command("forum.answers", {})
    answered.value = new Set(answers.filter(({ unread }) => unread).map(({ post_id }) => post_id))
  },
  forget: () => {
    answered.value = new Set()
  },
}

export const forum: AppFeature = {
  title: { zh: "论坛", en: "Forum" },
  icon: "forum",
  path: "/forum",
  group: "culture",
  badge,
  routes: [
    screen("/forum", () => import("./Boards.vue")),
    screen("/forum/new-board", () => import("./BoardForm.vue")),
    screen("/forum/p/:postId", () => import("./Post.vue")),
    screen("/forum/:boardId", () => import("./Feed.vue")),
    screen("/forum/:boardId/new", () => import("./NewPost.vue")),
    screen("/forum/:boardId/edit", () => import("./BoardForm.vue")),
  ],
}
