/* 论坛: boards with posts and comments. The number on its tile is how many posts of mine, or with
   comments of mine, somebody has answered since I opened them. */
import { ref } from "vue"
import { screen, type AppFeature } from "../../shell/feature"
import { command, stream } from "../../wire/connection"

const n = ref(0)

async function refresh(): Promise<void> {
  n.value = (await command("forum.answers", {})).answers.filter(({ unread }) => unread).length
}
stream.on("forum.answered", () => void refresh().catch(() => undefined))

/* One file for all of them: whoever opened the forum goes on without waiting, also without a line. */
const screens = (): Promise<typeof import("./screens")> => import("./screens")

export const forum: AppFeature = {
  title: { zh: "论坛", en: "Forum" },
  icon: "forum",
  path: "/forum",
  group: "culture",
  badge: { n, refresh, forget: () => (n.value = 0) },
  routes: [
    screen("/forum", async () => (await screens()).Boards),
    screen("/forum/new-board", async () => (await screens()).BoardForm),
    screen("/forum/p/:postId", async () => (await screens()).Post),
    screen("/forum/:boardId", async () => (await screens()).Feed),
    screen("/forum/:boardId/new", async () => (await screens()).NewPost),
    screen("/forum/:boardId/edit", async () => (await screens()).BoardForm),
  ],
}
