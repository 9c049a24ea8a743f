/* Names for what the forum's commands and events hold. */
import type { Fields, Result } from "../../wire/shapes"

export type Board = Result<"forum.boards">["boards"][number]
export type Page = Result<"forum.list">
export type Post = Page["posts"][number]
export type Shown = Result<"forum.show">
export type Comment = Shown["comments"][number]
export type Answer = Result<"forum.answers">["answers"][number]
export type BoardSettings = Fields<"forum.save_board">
