/* All screens of mail come in one file: whoever opened one has the others without a line, and the first
   file a page loads has one name to remember. */
export { default as Boxes } from "./Boxes.vue"
export { default as NewMail } from "./NewMail.vue"
export { default as Thread } from "./Thread.vue"
export { useUnsent } from "./unsent"
