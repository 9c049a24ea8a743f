/* Names for what the wire says about a whole document. */
import type { Fields, Result } from "../../wire/shapes"

export type Opened = Result<"documents.open">
export type Field = Opened["fields"][number]
export type Table = Opened["tables"][number]
export type Attachment = Field["attachments"][number]
export type Opinion = Opened["opinions"][number]
export type Step = Opened["steps"][number]
export type Offer = Opened["actions"][number]
export type Action = Offer["action"]
export type Act = NonNullable<Opened["last_act"]>
export type Said = Fields<"documents.act">

/** What I did here, as this page knows it. */
export interface MyAct extends Omit<Act, "reason"> {
  title: string
  /** `not_sent`: the server never heard of it. */
  reason: Act["reason"] | "not_sent"
  /** Heard here, and not merely told of earlier days by an opened document. */
  isNews: boolean
  /** The document was opened again since it was done. */
  isSeen: boolean
  /** The server's own answer did not arrive. */
  isLost: boolean
}
