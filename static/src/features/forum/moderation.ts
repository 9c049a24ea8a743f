/* What may be done with a post or a comment besides answering it, as a menu. */
import { refusalText } from "../../i18n"
import { copy } from "../../parts/clipboard"
import { ask, say, type Choice } from "../../shell/overlays"
import { asRefusal } from "../../wire/refusal"
import type { Comment, Post } from "./shapes"
import { useForum } from "./store"
import { w } from "./words"

type Target = { post_id: string } | { comment_id: string }

export interface Doing {
  writing: Post | Comment
  target: Target
  isMine: boolean
  moderates: boolean
  /** Ask a moderator for a reason, then hide. */
  hide: () => void
}

/** Hides or shows again, and says what came of it; whether it was done. */
export async function setHidden(target: Target, hidden: boolean, reason = ""): Promise<boolean> {
  try {
    await useForum().hide(target, hidden, reason)
    say(w(hidden ? "hide.done" : "hide.undone"))
    return true
  } catch (error) {
    say(`${w("hide.failed")} · ${refusalText(asRefusal(error).code)}`, true)
    return false
  }
}

async function takeBack(target: Target): Promise<void> {
  const sure = await ask({ title: w("hide.take_back_ask"), text: w("hide.take_back_text"), yes: w("hide.take_back"), danger: true })
  if (sure) await setHidden(target, true)
}

export function choices({ writing, target, isMine, moderates, hide }: Doing): Choice[] {
  const found: Choice[] = []
  if (writing.text)
    found.push({ label: w("post.copy"), icon: "copy", run: () => void copy(writing.text).then((done) => done && say(w("post.copied"))) })
  if (isMine && !writing.hidden) found.push({ label: w("hide.take_back"), icon: "undo", danger: true, run: () => void takeBack(target) })
  if (isMine && writing.hidden && !writing.by_moderator)
    found.push({ label: w("hide.put_back"), icon: "retry", run: () => void setHidden(target, false) })
  if (moderates && !isMine && !writing.by_moderator) found.push({ label: w("hide.hide"), icon: "hidden", danger: true, run: hide })
  if (moderates && !isMine && writing.by_moderator)
    found.push({ label: w("hide.show"), icon: "retry", run: () => void setHidden(target, false) })
  return found
}
