/* The forum's screens, fetched together. */
export { default as BoardForm } from "./BoardForm.vue"
export { default as Boards } from "./Boards.vue"
export { default as Feed } from "./Feed.vue"
export { default as NewPost } from "./NewPost.vue"
export { default as Post } from "./Post.vue"
