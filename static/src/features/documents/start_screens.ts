/* The screens of starting a document come in one file: whoever has opened one has the other without a line. */
export { default as StartKinds } from "./StartKinds.vue"
export { default as StartForm } from "./StartForm.vue"
