/* Names for the shapes the screens speak of. Everything is derived from the two maps of the
   generated protocol, so that a change of the wire shows up as a type error here and nowhere else. */
import type { Commands, Events } from "./protocol"

export type CommandName = keyof Commands
export type Fields<C extends CommandName> = Commands[C]["fields"]
export type Result<C extends CommandName> = Commands[C]["result"]

export type EventName = keyof Events
export type Arrived<E extends EventName = EventName> = Events[E] & Place
export interface Place {
  channel: string
  /** null for what is told once and never again, such as typing. */
  position: number | null
}

export type Person = Result<"contacts.people">["people"][number]
export type PersonDetail = Result<"contacts.card">["person"]
export type Me = Result<"account.me">
export type Settings = Me["settings"]
export type Device = Result<"account.sessions">["sessions"][number]
export type Department = Result<"contacts.tree">["departments"][number]
export type Conversation = Result<"chat.conversations">["conversations"][number]
export type Member = Result<"chat.conversation">["members"][number]
export type Mirroring = Result<"chat.mirror">["mirror"]
export type MirrorOffer = Result<"chat.mirror">["offer"]
export type Message = Result<"chat.history">["messages"][number]
export type TextContent = Fields<"chat.send">["content"]
export type Delivery = Result<"chat.deliveries">["deliveries"][number]
export type Todo = Result<"todos.list">["items"][number]
export type TodoState = Fields<"todos.list">["state"]
