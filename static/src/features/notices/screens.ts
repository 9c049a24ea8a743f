/* The screens of notices come in one file: whoever opened one has the others without a line. */
export { default as Preferences } from "./Preferences.vue"
export { default as Record } from "./Record.vue"
