/* Written by `python -m server protocol`; do not edit. */

/** How somebody wants the app to look, on every device. */
export interface AccountSettings {
  theme: "dark" | "light" | "system"
  font: "large" | "normal"
  language: "en" | "zh"
}

/** Act on a document as the actor, once per `client_id`. `seen` is that of the opened document: another state is answered with `moved`. `fields` holds changed fields only, `rows` a list per detail table or null where nothing changed. `to` are people to forward to. `affirmed` when the person was asked once more. Without `seen`, a plain yes from a list, with title and step as they stood there: refused with `conflict` where the document wants more than that, or is not any more what the list showed. */
export interface Act {
  request_id: string
  client_id: string
  action: "approve" | "approve_wanting_reply" | "approve_without_reply" | "forward" | "reject"
  seen?: string
  listed_title?: string
  listed_node?: string
  opinion?: string
  affirmed?: boolean
  fields?: Record<string, string>
  rows?: (Record<string, string>[] | null)[]
  to?: string[]
}

/** What became of something the actor did here. `asked`: on its way. `unknown`: nobody knows yet whether the OA did it; it is read back, never sent again. `moved`: somebody was faster, nothing of it was done. `refused`: the OA would not; or it was not asked, because it could not be reached (`never_arrived`) or nothing it takes was filled in (`unfit`). The opinion is given back as it was typed. `may_repeat`: unknown, read back half a minute later, and the OA shows nothing of it, so that the actor may do it again knowingly. */
export interface ActCard {
  client_id: string
  action: "approve" | "approve_wanting_reply" | "approve_without_reply" | "forward" | "reject"
  state: "asked" | "done" | "moved" | "refused" | "unknown"
  asked_at: number
  opinion: string
  reason: "" | "never_arrived" | "unfit"
  may_repeat: boolean
}

/** What the actor did with a document has ended, or is not known yet. */
export interface ActEnded {
  request_id: string
  title: string
  act: ActCard
}

/** Where it stands, three seconds after it was asked or as soon as the document was opened for it; `documents.acted` tells the end. */
export interface Acted {
  act: ActCard
}

/** Something the OA offers now, in its own words. */
export interface ActionOffer {
  action: "approve" | "approve_wanting_reply" | "approve_without_reply" | "forward" | "reject"
  label: string
}

/** Bring people into a group. They see it from here on. */
export interface AddMembers {
  conversation_id: string
  member_ids: string[]
}

/** One notice in the ledger, with its person and WeCom's own words. `followed_by` names the notice by which it was sent again. */
export interface AdminNotice {
  notice: NoticeItem
  person_id: string
  person_name: string
  reason: string
  failures: number
  tried_at: number
  followed_by: string
}

/** A post in which somebody answered the reader: under the reader's post, or to a comment of the reader's. `about` is the post's title, or how its text begins. `unread`: not opened since. */
export interface AnswerCard {
  post_id: string
  board_title: string
  about: string
  answered_by: string
  answered_by_name: string
  answered_at: number
  unread: boolean
}

/** Somebody answered the person in a post, or the person has opened it since. */
export interface AnsweredToMe {
  post_id: string
  unread: boolean
}

/** The newest fifty, each post once. */
export interface AnswersToMe {
  answers: AnswerCard[]
}

/** A file; `url` is ours, signed for the actor and good for ten minutes. */
export interface AttachmentCard {
  id: string
  name: string
  size: number | null
  url: string
}

/** People by name or by place. A department stands for all who work in it or below it. */
export interface Audience {
  everybody?: boolean
  department_ids?: string[]
  person_ids?: string[]
}

/** The WeCom id that notices go to, and since when and how it is proved to be the person's. */
export interface BindingShown {
  wecom_user_id: string
  how?: string
  bound_at?: number | null
}

/** A page of bindings; `next` is empty on the last one. */
export interface BindingsPage {
  items: BoundPerson[]
  next: string
}

/** `started` is the actor's last try to start it: while nobody knows what became of it, and for some minutes after its end. */
export interface BlankCard {
  workflow_id: string
  kind: string
  title: string
  fields: FieldCard[]
  tables: TableCard[]
  draft: DraftCard | null
  draft_at: number | null
  started: StartCard | null
}

/** A board as the reader sees it. `posts` counts all that were ever written there. */
export interface BoardCard {
  board_id: string
  title: string
  about: string
  closed: boolean
  posts: number
  last_posted_at: number | null
  moderates: boolean
  may_post: boolean
}

/** A board is set up otherwise; whoever looks at it asks to watch again. */
export interface BoardChanged {
  board_id: string
}

/** Which board it is. */
export interface BoardSaved {
  board_id: string
}

/** A board's set-up. People who have left are not named any more. */
export interface BoardSettings {
  board_id: string
  title: string
  about: string
  audience: Audience
  moderators: string[]
  order: number
  closed: boolean
}

/** Boards in the hospital's order. */
export interface Boards {
  boards: BoardCard[]
}

/** Somebody, the WeCom id by which he comes, since when, and how it was proved to be his. */
export interface BoundPerson {
  wecom_user_id: string
  person_id: string
  person_name: string
  how: string
  bound_at: number
}

/** The card. */
export interface CardShown {
  person: PersonDetail
}

/** Ask for what was missed. Without positions: where every channel of the person stands now. */
export interface CatchUp {
  epoch?: string | null
  positions?: Record<string, number> | null
}

/** `reload` tells the client to drop what it holds and load afresh. `last_close` is why the server ended this session's last connection, if it did. */
export interface CaughtUp {
  epoch: string
  reload: boolean
  channels: Record<string, ChannelTail>
  last_close?: string | null
}

/** Choose a new password; all other devices are signed out. */
export interface ChangePassword {
  old: string
  new: string
}

/** Change how the app looks; what is not named stays. */
export interface ChangeSettings {
  theme?: "dark" | "light" | "system"
  font?: "large" | "normal"
  language?: "en" | "zh"
}

/** What was missed of a channel. `position` is where the client stands after applying it; when it is not `complete`, ask again from there. */
export interface ChannelTail {
  events: LoggedEvent[]
  position: number
  complete: boolean
}

/** How the app looks now. */
export interface Chosen {
  settings: AccountSettings
}

/** The newest 100. */
export interface ClaimsListed {
  items: OpenClaim[]
}

/** A comment. `number` counts the comments of its post from 1 without gaps; `reply_to` is the comment it replies to, `reply_to_name` who wrote that one. */
export interface CommentCard {
  comment_id: string
  number: number
  author_id: string
  author_name: string
  text: string
  commented_at: number
  reply_to: string | null
  reply_to_name: string
  hidden: boolean
  by_moderator: boolean
  reason: string
}

/** The comment, and how many the post has now. */
export interface CommentWritten {
  comment: CommentCard
  comments: number
}

/** Somebody commented on a post, which has so many comments now. */
export interface Commented {
  post_id: string
  comment: CommentCard
  comments: number
}

/** How the actor keeps the conversation. */
export interface Configuration {
  muted: boolean
  pinned: boolean
}

/** Mute or pin a conversation for oneself. */
export interface Configure {
  conversation_id: string
  muted?: boolean | null
  pinned?: boolean | null
}

/** The person muted or pinned a conversation, on whatever device. */
export interface Configured {
  conversation_id: string
  muted: boolean
  pinned: boolean
}

/** What was found, the best match first; a few departments at most. */
export interface ContactsFound {
  people: PersonCard[]
  departments: DepartmentCard[]
}

/** A conversation as one member sees it. `unread` is last_seq - read_seq; `person_id` is the other one of a direct conversation; `mentioned` says that an unread message names the reader. */
export interface Conversation {
  conversation_id: string
  kind: "direct" | "group"
  title: string
  last_seq: number
  read_seq: number
  unread: number
  last_message: Message | null
  muted: boolean
  pinned: boolean
  mentioned: boolean
  member_count: number
  person_id: string | null
  owner_id: string | null
}

/** Which conversation it is. */
export interface ConversationId {
  conversation_id: string
}

/** Conversations, pinned ones first, then by time of the last message; long last messages are cut. `has_more`: there are more than the thousand listed. */
export interface ConversationList {
  conversations: Conversation[]
  has_more: boolean
}

/** The conversation, and members in order of joining if they were asked for. */
export interface ConversationShown {
  conversation: Conversation
  members: MemberCard[]
}

/** Those that the OA could not be told of are in `failed`. */
export interface CopiesRead {
  failed: string[]
}

/** How many of the actor's mails are unread. */
export interface CountMail {

}

/** How many documents wait for the actor. */
export interface CountTodos {

}

/** Make a group. The creator owns it and need not be among `member_ids`. The same client_id from the same person is the same group, however often it comes. */
export interface CreateGroup {
  title: string
  member_ids: string[]
  client_id?: string | null
}

/** Values that changed, under the department's id or `source`; at most one event a second and channel. Counters begin at 0 when the hospital's day does. */
export interface DashboardUpdated {
  values: Record<string, Figures | Source>
  as_of: number
}

/** A day; inpatients as last read by its end. */
export interface DayRow {
  day: string
  registered: number
  seen: number
  called: number
  operations: number
  inpatients: number | null
}

/** Remove a mail from the actor's mailbox, or the newest 200 of its thread; others keep theirs. */
export interface DeleteMail {
  mail_id: string
  whole_thread?: boolean
}

/** One row for each person a notice was made for. */
export interface Deliveries {
  deliveries: Delivery[]
}

/** How a message's notice to one person fares; `reason` says why it was refused or given up. */
export interface Delivery {
  person_id: string
  state: string
  at: number
  reason?: string
}

/** A department in the tree; `people_count` includes its sub-departments, each person once. */
export interface DepartmentCard {
  department_id: string
  name: string
  parent_id: string | null
  people_count: number
}

/** A department over all days; inpatients as last read by the end of the last. `by_type` has registered, seen and called by registration type (types without any are left out). */
export interface DepartmentRow {
  department_id: string
  name: string
  registered: number
  seen: number
  called: number
  operations: number
  inpatients: number | null
  by_type: Record<string, Record<string, number>>
}

/** Those who lead it first; each with the post held there. */
export interface DepartmentShown {
  department: DepartmentCard
  people: PersonCard[]
}

/** Departments, each after its parent, siblings in the hospital's order. */
export interface Departments {
  departments: DepartmentCard[]
}

/** Who stands in for whom, from the first to the last day, both included. `holds`: it has begun. `set_by_name` is empty when the person named the deputy without an administrator. */
export interface DeputationCard {
  deputation_id: string
  person: PersonCard
  deputy: PersonCard
  begins_on: string
  ends_on: string
  begins_at: number
  ends_at: number
  holds: boolean
  set_by_name: string
}

/** Newest first, at most 300 documents; `pending` of the people may be more. `turns_at` is when the next period begins or ends: then this is to be asked again. */
export interface Deputed {
  people: DeputedPerson[]
  items: DeputedItem[]
  turns_at: number | null
}

/** A document that waits for somebody else, as the actor sees it in a list. Whether the OA shows it to the actor is the OA's to say. `is_new`: passed on, and not opened here yet. */
export interface DeputedItem {
  for_person: string
  item_id: string
  request_id: string
  title: string
  creator_name: string
  received_at: number | null
  urgency: "important" | "normal" | "urgent"
  node: string
  source: string
  is_new: boolean
  kind: string
  creator_id: string | null
  department: string
}

/** The actor has opened a document that was passed on. */
export interface DeputedOpened {
  request_id: string
}

/** Somebody the actor stands in for, and how much waits there. `stale`: the OA cannot be asked now. */
export interface DeputedPerson {
  person: PersonCard
  pending: number
  as_of: number | null
  stale: boolean
  ends_on: string
}

/** `mine` has not ended yet and may not have begun; `for_others` likewise. `today` is the hospital's day, from which periods are chosen. */
export interface Deputies {
  mine: DeputationCard | null
  for_others: DeputationCard[]
  today: string
}

/** A deputation that concerns the person was set, has begun or ended, or another number of documents waits where the person stands in: ask again. */
export interface DeputiesChanged {
  at: number
}

/** As it holds now. */
export interface DeputyNamed {
  deputation: DeputationCard
}

/** A session that has not ended; `current` is the one asking. */
export interface Device {
  session_id: string
  device: string
  address: string
  created_at: number
  seen_at: number
  current: boolean
}

/** Devices, the latest sign-in first. */
export interface Devices {
  sessions: Device[]
}

/** What was typed and not sent yet; also the shape in which it is kept. `fields` are those that were changed, `rows` all rows of each detail table in its order. */
export interface DraftCard {
  title: string
  urgency: "important" | "normal" | "urgent"
  fields: Record<string, string>
  rows: Record<string, string>[][]
}

/** When it was kept; null when it was thrown away. */
export interface DraftKept {
  draft_at: number | null
}

/** End the present (or coming) deputation early; ended twice is ended. Administrators may do it for others. */
export interface EndDeputation {
  person_id?: string
}

/** Try the connection to WeCom, step by step. For administrators, a few times a minute. */
export interface ExamineWeCom {

}

/** A field that the actor may see. `value` is what the OA stores, `shown` what people read. Of people and departments the value is ids of the house, separated by commas. `attachments` and `other` are filled in only on the OA's own page. `may_edit` is false also where somebody in the value is unknown here, and for departments where none is known by the OA's name for it: then `must_fill` without anything shown means that the OA's own page is needed. */
export interface FieldCard {
  name: string
  label: string
  kind: "attachments" | "check" | "choice" | "date" | "department" | "departments" | "long_text" | "money" | "number" | "other" | "people" | "person" | "text" | "time"
  value: string
  shown: string
  may_edit: boolean
  must_fill: boolean
  options: FieldOption[]
  attachments: AttachmentCard[]
}

/** A value that a field may take. */
export interface FieldOption {
  value: string
  label: string
}

/** What is wrong with a value; in a detail table `table` and `row` say where. `kept`: what the OA has there cannot be emptied. `unknown_there`: the OA has no account of this person, or no such department. `gone`: the form has no such field (any more) that can be filled in. `elsewhere`: only the OA's own page can fill it in. */
export interface FieldProblem {
  name: string
  problem: "choice" | "date" | "elsewhere" | "gone" | "kept" | "long" | "missing" | "number" | "time" | "unknown_there"
  table: number | null
  row: number | null
}

/** A department's day so far. Patients by registration type (types without any are left out), operations finished, and inpatients as last read (within seven days). */
export interface Figures {
  kind: "figures"
  department_id: string
  day: string
  registered: Record<string, number>
  seen: Record<string, number>
  called: Record<string, number>
  operations: number
  inpatients: number | null
}

/** A message found, and where. */
export interface Found {
  conversation_id: string
  message: Message
}

/** A post, or a comment of it, is hidden or shown again. When it is shown, these are its words, a post's as a list shows them; while it is hidden they are empty, and author and moderators keep what they have. */
export interface Hidden {
  post_id: string
  comment_id: string | null
  hidden: boolean
  by_moderator: boolean
  reason: string
  title: string
  text: string
  cut: boolean
}

/** Whether others see it now, and if not, on whose word. */
export interface HiddenNow {
  hidden: boolean
  by_moderator: boolean
  reason: string
}

/** Hide a post or a comment, or show it again. Its author takes back the own words, a moderator gives a reason; neither undoes what the other did. */
export interface Hide {
  hidden: boolean
  post_id?: string | null
  comment_id?: string | null
  reason?: string
}

/** A page of messages, the newest when neither side is given; at most 200. */
export interface History {
  conversation_id: string
  before_seq?: number | null
  after_seq?: number | null
  limit?: number
}

/** Messages by rising seq. `has_more` looks on in the direction asked (backwards if none). */
export interface HistoryPage {
  messages: Message[]
  has_more: boolean
}

/** Somebody who holds a document. `unreachable`: the OA names somebody who cannot be told here. Where the limits say no, `not_before` is when they will not. */
export interface HolderCard {
  person_id: string | null
  name: string
  state: "limit" | "reminded" | "too_early" | "too_soon" | "unreachable"
  not_before: number | null
}

/** By hour of the day, 24 each, over all days. Of one day also the inpatients as last read by the end of each hour (null before the first reading, and where there are several days). */
export interface Hours {
  registered: number[]
  seen: number[]
  called: number[]
  operations: number[]
  inpatients: (number | null)[]
}

/** The person has become a member of a conversation. */
export interface Joined {
  conversation_id: string
  kind: "direct" | "group"
  title: string
  at: number
}

/** What the page at an address of ours has to show WeCom before it may use the phone. */
export interface JsConfig {
  url: string
}

/** The company's permission (`config`) and the app's (`agent_config`), for that page. */
export interface JsPermission {
  corp_id: string
  agent_id: number
  config: JsSignature
  agent_config: JsSignature
}

/** One permission: time in seconds, a word of chance, and the signature over both and the page. */
export interface JsSignature {
  timestamp: number
  nonce: string
  signature: string
}

/** Keep what was typed; null throws it away. The last word wins. */
export interface KeepDraft {
  workflow_id: string
  draft: DraftCard | null
}

/** A process; `used_at` is when the actor last started it here, `draft_at` when something was typed that is not sent. */
export interface KindCard {
  workflow_id: string
  name: string
  category: string
  used_at: number | null
  draft_at: number | null
}

/** Which road one kind of notices takes: WeCom, the app alone, or WeCom gathered on one card. */
export interface KindRoad {
  kind: "chat" | "deputed" | "forum" | "mail" | "todo"
  road: "app" | "digest" | "wecom"
}

/** Recent ones first, then as the OA lists them. `stale`: the OA cannot be asked now, this is from `as_of`. */
export interface Kinds {
  kinds: KindCard[]
  as_of: number
  stale: boolean
}

/** Leave a group. An owner's group goes to the member who has been in it longest. */
export interface Leave {
  conversation_id: string
}

/** A page of the ledger; `next` is empty on the last one. */
export interface LedgerPage {
  items: AdminNotice[]
  next: string
}

/** The person is no longer a member of a conversation. */
export interface Left {
  conversation_id: string
  at: number
}

/** Like a post, or like it no longer. */
export interface LikePost {
  post_id: string
  liked: boolean
}

/** Somebody likes a post, or no longer; so many do now. */
export interface Liked {
  post_id: string
  person_id: string
  liked: boolean
  likes: number
}

/** How many like it now. */
export interface Likes {
  likes: number
}

/** Where the actor's posts and comments were answered. */
export interface ListAnswersToMe {

}

/** Who comes by which WeCom id, at most 500 at once; `after` is the `next` of the page before (administrators; recorded). */
export interface ListBindings {
  after?: string
  limit?: number
}

/** The boards the actor may see. */
export interface ListBoards {

}

/** Who has come from WeCom within the last half hour and has yet to prove who he is (administrators). */
export interface ListClaims {

}

/** All conversations of the actor. */
export interface ListConversations {

}

/** What became of the notices of one's own message. */
export interface ListDeliveries {
  conversation_id: string
  seq: number
}

/** What waits for those for whom the actor stands in now. */
export interface ListDeputed {

}

/** What the actor may start. Kept for some minutes, asked of the OA anew with `fresh`. */
export interface ListKinds {
  fresh?: boolean
}

/** A page of the actor's mail, newest first; `before` is the `before` of the page above. */
export interface ListMail {
  box?: "inbox" | "sent"
  unread_only?: boolean
  before?: string | null
  limit?: number
}

/** Who has read a mail of the actor's own. */
export interface ListMailReaders {
  mail_id: string
}

/** Older opinions of a document that the actor may see. */
export interface ListOpinions {
  request_id: string
  before: string
}

/** A page of a board's posts, those with a number below `before`, or the newest. */
export interface ListPosts {
  board_id: string
  before?: number | null
  limit?: number
}

/** Who has read a message and who has not; its sender is in neither list. */
export interface ListReaders {
  conversation_id: string
  seq: number
}

/** The devices on which one is signed in. */
export interface ListSessions {

}

/** A page of 20 documents: waiting for the actor, handled, to take note of, or started. The rest narrows them down: words of title, kind or creator; one kind; one urgency; received since. */
export interface ListTodos {
  state: "done" | "pending" | "read" | "started"
  page?: number
  search?: string
  kind?: string
  urgency?: "important" | "normal" | "urgent" | null
  since?: number | null
}

/** One event that was missed, as it would have been told. */
export interface LoggedEvent {
  event: string
  position: number
  data: Record<string, unknown>
}

/** `unread` is counted no further than 1,000; `revision` numbers the changes of the mailbox. */
export interface MailCount {
  unread: number
  revision: number
}

/** The person's mailbox has changed: `revision` numbers its changes, so whoever misses one loads afresh. The change concerns one thread, of which the person now holds `thread_count` mails: `row` is new or says something new, the others name mails that are read, unread again, or gone. */
export interface MailCounted {
  unread: number
  revision: number
  thread_id: string
  thread_count: number
  row: MailRow | null
  read: string[]
  unread_again: string[]
  gone: string[]
}

/** Mails, newest first. `before` asks on; `older_left_out` says that the actor has mail older than what was searched. */
export interface MailFound {
  rows: MailRow[]
  before: number | null
  older_left_out: boolean
}

/** Mails, newest first. `before` asks on; null: there are no more. `unread` and `revision` are those of `mail.counted`, from before the rows were read. */
export interface MailPage {
  rows: MailRow[]
  before: string | null
  unread: number
  revision: number
}

/** Somebody has read a mail of the person's own for the first time; `mail.readers` says who. */
export interface MailRead {
  mail_id: string
}

/** Somebody who has read a mail, and when first. */
export interface MailReader {
  person_id: string
  read_at: number
}

/** How many of how many have read it, and the first 200 of them. */
export interface MailReaders {
  recipient_count: number
  read_count: number
  readers: MailReader[]
}

/** It was taken back then; so many had read it before. */
export interface MailRecalled {
  recalled_at: number
  read_count: number
}

/** A mail as a list shows it. `order` is its place: the greater, the newer; `thread_count` says how many mails of its thread the reader holds. What one sent oneself is always read. */
export interface MailRow {
  mail_id: string
  thread_id: string
  box: "in" | "out"
  order: string
  sender_id: string
  to: Recipients
  subject: string
  excerpt: string
  sent_at: number
  is_read: boolean
  recalled_at: number | null
  thread_count: number
}

/** The mail is kept, and is on its way to so many people. */
export interface MailSent {
  mail_id: string
  thread_id: string
  sent_at: number
  recipient_count: number
}

/** A mail within its thread. `text` is null where it would make the answer too large: open that one by itself. `is_new`: it was unread until this answer. `read_count` is for its sender. */
export interface MailShown {
  row: MailRow
  text: string | null
  is_new: boolean
  read_count: number | null
}

/** Everything up to `seq` has been seen. A mark never goes back. */
export interface MarkRead {
  conversation_id: string
  seq: number
}

/** The person signed in. */
export interface Me {
  person: PersonCard
  roles: string[]
  session_id: string
  settings: AccountSettings
  server: ServerFacts
}

/** A member of a conversation. */
export interface MemberCard {
  person_id: string
  role: "member" | "owner"
  joined_at: number
}

/** People came or went, or the group has another owner or title. */
export interface MembersChanged {
  conversation_id: string
  added: string[]
  removed: string[]
  owner_id: string | null
  title: string
  by: string
  at: number
}

/** A message. `seq` counts the messages of its conversation from 1 without gaps. */
export interface Message {
  message_id: string
  sender_id: string
  client_id: string
  content: Text | Recalled
  sent_at: number
  seq: number
  recalled_at?: number | null
}

/** A message was taken back; only the fact stays. */
export interface MessageRecalled {
  conversation_id: string
  message_id: string
  seq: number
  by: string
  recalled_at: number
}

/** A message was sent. It also moves its sender's read mark. */
export interface MessageSent {
  conversation_id: string
  message: Message
}

/** A member has read up to `seq`. */
export interface MessagesRead {
  conversation_id: string
  person_id: string
  seq: number
  read_at: number
}

/** By age: of the hospital's today, up to three days, up to seven, and more. `oldest_at` is null when nothing waits, `as_of` when the OA was never read. `sees_all`: may ask for processes; `day` is the hospital's today. */
export interface MineShown {
  today: number
  to_3_days: number
  to_7_days: number
  more: number
  oldest_at: number | null
  as_of: number | null
  sees_all: boolean
  day: string
}

/** How it is, and what the hospital offers for this group. Before anybody wished it: all off. */
export interface MirrorShown {
  offer: "members" | "messages" | "nothing"
  mirror: Mirroring
}

/** A group is shown in WeCom, or no longer, or something stands in the way. */
export interface Mirrored {
  conversation_id: string
  mirror: Mirroring
  by: string
  at: number
}

/** How a group is shown in WeCom. `trouble` stands in the way since `since`, `code` is WeCom's number for it; `left_out` members have no account that WeCom's group could hold. */
export interface Mirroring {
  is_on: boolean
  with_messages: boolean
  is_made: boolean
  trouble: "" | "kept_out" | "lost" | "paused" | "refused" | "scope" | "settings" | "too_few" | "too_many" | "unreachable" | "withdrawn"
  code: number
  since: number
  left_out: number
}

/** Name a deputy for a period: one at a time, for at most a year, begun within 90 days. A repeat changes nothing. Administrators may do it for others. */
export interface NameDeputy {
  deputy_id: string
  begins_on: string
  ends_on: string
  person_id?: string
}

/** The cards of people known by id, such as authors of old messages; unknown ids are left out. */
export interface NamePeople {
  person_ids: string[]
}

/** A process or a department. An empty name is for those that have none. */
export interface NamedReadCounts {
  copies: number
  read: number
  day_copies: number
  day_read: number
  three_days_copies: number
  three_days_read: number
  id: string
  name: string
}

/** A process or a department. An empty name is for those that have none. */
export interface NamedWaited {
  n: number
  here: number
  median: number | null
  p90: number | null
  within_10_minutes: number
  within_hour: number
  within_day: number
  id: string
  name: string
}

/** An empty result: it was done. */
export interface Nothing {

}

/** A page of one's own notices; `next` is empty on the last one. They are kept for `kept_days`. */
export interface NoticeHistory {
  items: NoticeItem[]
  next: string
  kept_days: number
}

/** One notice and what became of it. `at` is when it ended, or when it is looked at next; `refusal` is `unreachable`, `unlicensed`, `content`, `account` or `other`; `path` opens what it is about. */
export interface NoticeItem {
  notice_id: string
  kind: string
  subject: string
  state: "dead" | "queued" | "refused" | "sending" | "sent" | "settled"
  why: "" | "app" | "digest" | "limit" | "merge" | "merged" | "muted" | "quiet" | "read" | "screen"
  refusal: string
  urgent: boolean
  count: number
  path: string
  created_at: number
  at: number
  is_again: boolean
}

/** Every kind with its road, the quiet hours and whether being named (@) rings in them, the hours of digests; and what goes through all the same. Minutes and hours are those of `timezone`. */
export interface NoticePreferences {
  quiet: QuietPeriod[]
  roads: KindRoad[]
  digest_hours: number[]
  mentions: boolean
  never_silent: string[]
  timezone: string
}

/** The notice by which it is sent again. */
export interface NoticeResent {
  notice_id: string
}

/** The form of a process the actor may start, with the kept draft. */
export interface OpenBlank {
  workflow_id: string
}

/** A WeCom id nobody has, until when it may be proved, whether a code was sent, and wrong tries of it. */
export interface OpenClaim {
  wecom_user_id: string
  expires_at: number
  code_sent: boolean
  tries: number
}

/** The direct conversation with a person; it is made when there is none. */
export interface OpenConversation {
  person_id: string
}

/** Open a document in the OA as the actor. It may count as read there from then on. */
export interface OpenDocument {
  request_id: string
}

/** Read a mail with its thread: the newest 50 the actor holds, or the 50 `before` a place. What is answered with its text is read from then on. */
export interface OpenMail {
  mail_id: string
  before?: string | null
}

/** A document as the OA shows it to the actor. `seen` is given back when acting. `last_act` is the actor's own last act here, if any. `demands`: `opinion`, `affirmation` (ask once more), `fields`. `more_before` is empty when there are no older opinions. `may_urge`: whoever holds it can be reminded by the actor now. */
export interface OpenedCard {
  request_id: string
  seen: string
  title: string
  kind: string
  creator_id: string | null
  creator_name: string
  created_at: number | null
  urgency: "important" | "normal" | "urgent"
  status: string
  node: string
  actions: ActionOffer[]
  demands: ("affirmation" | "fields" | "opinion")[]
  fields: FieldCard[]
  tables: TableCard[]
  opinions: OpinionCard[]
  more_before: string
  steps: StepCard[]
  phrases: string[]
  draft: string
  as_of: number
  last_act: ActCard | null
  may_urge?: boolean
}

/** The thread, oldest first. `to` is whom the mail asked for went to, without those who have left: what a reply to all takes over. */
export interface OpenedMail {
  thread_id: string
  mails: MailShown[]
  has_earlier: boolean
  to: Audience
}

/** An entry of the log. `html` holds harmless markup only; `person_id` is null for people unknown here. */
export interface OpinionCard {
  id: string
  node: string
  person_id: string | null
  person_name: string
  department: string
  at: number | null
  action: string
  html: string
  received_by: string[]
  on_behalf_of: string
  attachments: AttachmentCard[]
}

/** Newest first. */
export interface Opinions {
  opinions: OpinionCard[]
  more_before: string
}

/** People, in the order asked. */
export interface People {
  people: PersonCard[]
}

/** Somebody in a list. `avatar_hue` (0-359) colours the picture that is made of the name. */
export interface PersonCard {
  person_id: string
  name: string
  title: string
  department_id: string
  department: string
  avatar_hue: number
  online: boolean
}

/** Somebody's whole card. The WeCom user id opens a talk in WeCom. */
export interface PersonDetail {
  person_id: string
  name: string
  title: string
  department_id: string
  department: string
  avatar_hue: number
  online: boolean
  employee_number: string
  office_phone: string
  mobile: string
  email: string
  wecom_user_id: string
}

/** A post. `number` counts the posts of its board from 1 without gaps. `cut`: the text goes on. `liked` is the reader's own. Of a hidden post, `by_moderator` tells a moderator's hiding from the author's taking back. */
export interface PostCard {
  post_id: string
  board_id: string
  number: number
  author_id: string
  author_name: string
  title: string
  text: string
  cut: boolean
  posted_at: number
  likes: number
  liked: boolean
  comments: number
  hidden: boolean
  by_moderator: boolean
  reason: string
}

/** Posts, newest first. Everything up to `position` of the board's channel is in them. */
export interface PostPage {
  board: BoardCard
  posts: PostCard[]
  has_more: boolean
  position: number
}

/** The post, and comments oldest first. Everything up to `position` of the board's channel is in. */
export interface PostShown {
  board: BoardCard
  post: PostCard
  comments: CommentCard[]
  has_more: boolean
  position: number
}

/** The post is kept. */
export interface PostWritten {
  post_id: string
  number: number
  posted_at: number
}

/** Somebody wrote a post. */
export interface Posted {
  post: PostCard
}

/** One's choice for notices was changed, here or on another device. */
export interface PreferencesChanged {
  quiet: QuietPeriod[]
  roads: KindRoad[]
  digest_hours: number[]
  mentions: boolean
}

/** `not_before`: the limits do not allow it now, and when they do. */
export interface PrincipalReminded {
  state: "limit" | "reminded" | "too_early" | "too_soon"
  not_before: number | null
}

/** `total`, `processes` and `departments` are of the range, most documents first; `departments` is empty when one was asked for. `weeks` are those of the range, and at least the last 12 before its end; `live_day` is the first day on which something was decided here (null: none yet). */
export interface ProcessesShown {
  from_day: string
  to_day: string
  today: string
  total: Waited
  processes: NamedWaited[]
  departments: NamedWaited[]
  weeks: WeekWaited[]
  live_day: string | null
}

/** Hours in which nothing rings, on the days on which they begin (0 = Monday). Minutes of the day; one that ends at or before its beginning ends the next day, the same minute twice is a whole day. */
export interface QuietPeriod {
  days: number[]
  begins: number
  ends: number
}

/** Days and departments that have figures. `as_of`: when the HIS was last heard (null: never). */
export interface RangeShown {
  from_day: string
  to_day: string
  days: DayRow[]
  departments: DepartmentRow[]
  hours: Hours
  as_of: number | null
}

/** Take note of copies, several at once. */
export interface ReadCopies {
  request_ids: string[]
}

/** Of `copies`, one per person and document, `read` are known to be read by now. Of the `day_copies` that were followed from their arrival for a whole day `day_read` were read within it; three days likewise. What is read in the OA shows only in the next tour, so all of these are lower bounds. */
export interface ReadCounts {
  copies: number
  read: number
  day_copies: number
  day_read: number
  three_days_copies: number
  three_days_read: number
}

/** Where the actor's mark stands now. */
export interface ReadUpTo {
  read_seq: number
}

/** Somebody who has read a message, and when. */
export interface Reader {
  person_id: string
  read_at: number
}

/** Those who were members when the message was sent and still are. */
export interface Readers {
  read: Reader[]
  unread: string[]
}

/** By the day on which copies came. `known_since` is when the first tour through the OA began, `as_of` when the last whole one did (null: none yet); it could not look at `missed` people. `under_way` is a tour that has begun and not ended (null: none). */
export interface ReadingShown {
  from_day: string
  to_day: string
  total: ReadCounts
  processes: NamedReadCounts[]
  departments: NamedReadCounts[]
  weeks: WeekReadCounts[]
  known_since: number | null
  as_of: number | null
  missed: number
  under_way: TourUnderWay | null
}

/** Take back one's own message within the time the hospital allows. */
export interface Recall {
  conversation_id: string
  seq: number
}

/** Take a mail back from everybody who has not read it. Who has read it keeps it, marked as recalled. */
export interface RecallMail {
  mail_id: string
}

/** All that is left of a message that was taken back. */
export interface Recalled {
  kind: "recalled"
}

/** When it was taken back. */
export interface RecalledAt {
  recalled_at: number
}

/** To whom a mail went: how many people that were, and the first of them as they were named. */
export interface Recipients {
  count: number
  everybody?: boolean
  department_ids?: string[]
  person_ids?: string[]
}

/** Remind the one for whom the actor stands in of a document that waits there. */
export interface RemindPrincipal {
  person_id: string
  request_id: string
}

/** Take a person out of a group one owns. */
export interface RemoveMember {
  conversation_id: string
  person_id: string
}

/** Give a group one owns another title. */
export interface Rename {
  conversation_id: string
  title: string
}

/** Send a notice again that was given up or refused. Once for each; a repeat answers the same. For administrators, and recorded. */
export interface ResendNotice {
  notice_id: string
}

/** Try at once what stands in the way. */
export interface RetryMirror {
  conversation_id: string
}

/** Sign a device out from elsewhere; its sockets are closed. */
export interface RevokeSession {
  session_id: string
}

/** Change the board of `board_id` to be as given here, or make one: under a `client_id`, which makes one board however often it comes. */
export interface SaveBoard {
  title: string
  audience: Audience
  board_id?: string | null
  client_id?: string | null
  about?: string
  moderators?: string[]
  order?: number
  closed?: boolean
}

/** A channel to watch; the hospital's has no department and no name. */
export interface Scope {
  channel: string
  name: string
  department_id: string | null
}

/** Which figures the actor may look at. */
export interface Scopes {

}

/** The hospital first, then departments that have figures, in the hospital's order. */
export interface ScopesShown {
  channels: Scope[]
  types: ("emergency" | "expert" | "general" | "online" | "special")[]
  zone: string
  today: string
}

/** Find people by name, pinyin, initials, account, or at least three digits of a number; and departments by name, pinyin or initials. */
export interface SearchContacts {
  query: string
  limit?: number
}

/** Find words in subject, text and sender's name of the actor's newest 5,000 mails. */
export interface SearchMail {
  text: string
  before?: number | null
  limit?: number
}

/** Messages holding a text, newest first, in one's own conversations only. */
export interface SearchMessages {
  text: string
  conversation_id?: string | null
  before?: number | null
  limit?: number
}

/** What was found; `before` asks for the next page when `has_more`. */
export interface SearchPage {
  messages: Found[]
  has_more: boolean
  before?: number | null
}

/** Send a mail to people and departments, as a reply to one the sender holds or as a new one. The same client_id from the same sender is the same mail, however often it comes; another mail under a client_id that was used is refused with `conflict`. Only leaders, editors and the administrator write to everybody, or to more people than `YUANXIN_MAIL_RECIPIENTS`. */
export interface SendMail {
  client_id: string
  to: Audience
  subject: string
  text: string
  reply_to?: string | null
}

/** Send a message. The same client_id from the same sender is the same message, however often it comes; a text under a client_id that was used for another is refused with `conflict`. */
export interface SendMessage {
  conversation_id: string
  client_id: string
  content: Text
}

/** The state the sending node has written last; moments are 0 where there was none. `sent_today` counts what WeCom took since midnight, `day_limit` is what it takes in a day. */
export interface SenderShown {
  is_configured: boolean
  at: number
  owed: number
  waiting: number
  oldest_at: number
  in_flight: number
  people_held: number
  is_held: boolean
  is_misconfigured: boolean
  held_until: number
  got_through_at: number
  fault: string
  fault_at: number
  token_fetched_at: number
  token_expires_at: number
  sent_today: number
  day_limit: number
  calls_per_second: number
  failed: number
}

/** The message is kept. */
export interface Sent {
  message_id: string
  seq: number
  sent_at: number
}

/** What a page has to know of the server's settings. */
export interface ServerFacts {
  recall_seconds: number
  text_limit: number
}

/** Mark a received mail as read or unread, or the newest 200 of its thread as read. Its sender sees it as read from the first time on. */
export interface SetMailRead {
  mail_id: string
  is_read: boolean
  whole_thread?: boolean
}

/** Show a group one owns in WeCom, with its messages from now on or without, or no longer. */
export interface SetMirror {
  conversation_id: string
  is_on: boolean
  with_messages?: boolean
}

/** Choose anew; what is not named for a kind goes to WeCom. What waits already is decided again. */
export interface SetPreferences {
  quiet: QuietPeriod[]
  roads: KindRoad[]
  digest_hours?: number[]
  mentions?: boolean
}

/** One's own settings were changed, here or on another device. */
export interface SettingsChanged {
  theme: "dark" | "light" | "system"
  font: "large" | "normal"
  language: "en" | "zh"
}

/** By which WeCom id somebody comes (administrators). */
export interface ShowBinding {
  person_id: string
}

/** How a board is set up, for whoever may change it. */
export interface ShowBoardSettings {
  board_id: string
}

/** Somebody's card with numbers. Looking at it is recorded. */
export interface ShowCard {
  person_id: string
}

/** One conversation with its members, or without: a list needs none, and they may be 2,000. */
export interface ShowConversation {
  conversation_id: string
  members?: boolean
}

/** A department and the people who belong to it directly. */
export interface ShowDepartment {
  department_id: string
}

/** Who stands in for somebody, and for whom that one stands in. Administrators may ask of others. */
export interface ShowDeputies {
  person_id?: string
}

/** Leaf through everybody's notices, the newest first. For administrators; looking at one person's is recorded. `failed` is what was refused or given up. */
export interface ShowLedger {
  person_id?: string
  state?: "" | "dead" | "failed" | "queued" | "refused" | "sending" | "sent" | "settled"
  kind?: string
  since?: number
  until?: number
  after?: string
  limit?: number
}

/** Who is signed in here, and what the page needs to begin. */
export interface ShowMe {

}

/** How long the actor's own documents have been waiting. */
export interface ShowMine {

}

/** Whether and how a group one is in is shown in WeCom. */
export interface ShowMirror {
  conversation_id: string
}

/** One post whole, and a page of its comments, those with a number above `after`. Whoever was answered there has now seen it. */
export interface ShowPost {
  post_id: string
  after?: number
  limit?: number
}

/** What one has chosen for one's notices. */
export interface ShowPreferences {

}

/** How long documents waited, of those that ended on these days, both included, at most 400. With a department: of its people. */
export interface ShowProcesses {
  from_day: string
  to_day: string
  department_id?: string | null
}

/** Sums over days, both included, at most 400. Without a department: all that the actor may see. A type narrows what has one: registered, called and seen. */
export interface ShowRange {
  from_day: string
  to_day: string
  department_id?: string | null
  type?: "emergency" | "expert" | "general" | "online" | "special" | null
}

/** How many of the copies that came on these days are known to be read; days and department as for `turnaround.processes`. Records are kept 90 days. */
export interface ShowReading {
  from_day: string
  to_day: string
  department_id?: string | null
}

/** How the sending of notices is doing. For administrators. */
export interface ShowSender {

}

/** What came of the last bringing together of directory and WeCom's contacts (administrators). */
export interface ShowSync {

}

/** All departments. */
export interface ShowTree {

}

/** Why one did, or did not, get a notice: one's own, the newest first, at most 100 at once. `after` is the `next` of the page before. */
export interface ShowWhy {
  kind?: string
  subject?: string
  after?: string
  limit?: number
}

/** End the session this is asked under. */
export interface SignOut {

}

/** When the HIS was last heard (null: never). `stale` once it has missed two times of `period_ms`. */
export interface Source {
  kind: "source"
  as_of: number | null
  stale: boolean
  period_ms: number
}

/** Start a document, once per `client_id`, whatever happens on the way. Asked again with the same `client_id` it says where that start stands. */
export interface Start {
  workflow_id: string
  client_id: string
  draft: DraftCard
}

/** What became of a start. `asked`: on its way. `unknown`: the OA's answer was lost; the actor's own list is read until it shows there, and it is never sent again. `may_repeat`: it does not show after some minutes, and the actor may start again knowingly. `refused`: nothing was started, for `reason`; `invalid` comes with `problems`. `may_remain`: something of it may lie in the OA all the same. */
export interface StartCard {
  client_id: string
  workflow_id: string
  kind: string
  state: "asked" | "done" | "refused" | "unknown"
  asked_at: number
  title: string
  request_id: string | null
  reason: "" | "basic_data" | "failed" | "form" | "interrupted" | "invalid" | "next_step" | "no_right" | "oa_away" | "oa_blocked" | "oa_unclear" | "operators" | "rows" | "step_action" | "urgency"
  problems: FieldProblem[]
  may_remain: boolean
  may_repeat: boolean
}

/** A start has ended, or is not known yet. */
export interface StartEnded {
  start: StartCard
}

/** Where it stands after at most three seconds; `documents.started` tells the end. */
export interface Started {
  start: StartCard
}

/** A step of the way; `holders` have it now, `acted` have acted there. */
export interface StepCard {
  node: string
  state: "current" | "done"
  since: number | null
  until: number | null
  acted: string[]
  holders: string[]
}

/** `direction` is off, from_wecom or to_wecom, `hour` when it runs at night; `result` is done, held (removals wait for a confirmation) or failed, empty when there was none yet. Conflicts are sentences for whoever keeps the staff list. */
export interface SyncShown {
  direction: string
  hour: number
  result: string
  trigger: string
  why: string
  ended_at: number
  counts: Record<string, number>
  conflicts: string[]
}

/** A detail table; rows have the fields of `columns` in the same order. */
export interface TableCard {
  title: string
  columns: FieldCard[]
  rows: FieldCard[][]
}

/** What a person writes. `mentions` holds ids of members, or "all" from the owner of a group. */
export interface Text {
  kind: "text"
  text: string
  mentions?: string[]
}

/** `unread` are those waiting that were not opened here yet. */
export interface TodoCount {
  pending: number
  unread: number
  as_of: number | null
  stale: boolean
}

/** A document as it concerns the actor. `is_new`: it waits and was not opened here yet. `may_approve`: it waits and a plain yes may be enough (`documents.act` without `seen`). `creator_id` is null for people unknown here; `department` is the main one of the creator, as the directory has it. `urged_by`: who has last asked the actor to get on with it, if anybody, and with which words. */
export interface TodoItem {
  item_id: string
  request_id: string
  title: string
  creator_name: string
  received_at: number | null
  urgency: "important" | "normal" | "urgent"
  node: string
  source: string
  is_new: boolean
  kind: string
  creator_id: string | null
  department: string
  may_approve: boolean
  urged_by: string
  urged_at: number | null
  urged_words: string
}

/** The actor has opened a document here. */
export interface TodoOpened {
  request_id: string
}

/** Documents, newest first. `total` is null when the OA does not tell. `stale`: the OA cannot be asked now, and this is from `as_of` (null: never read). Of a list that was narrowed down, `total` is how many were found, among the newest `looked_at`; that is null when all of the list was looked at. `kinds` are those that were met on the way. */
export interface TodoPage {
  items: TodoItem[]
  total: number | null
  as_of: number | null
  stale: boolean
  looked_at?: number | null
  kinds?: string[]
}

/** Somebody reminds the person of a document that waits. */
export interface TodoUrged {
  request_id: string
  by_name: string
  at: number
}

/** Another number of documents waits for the person, or another number is new. */
export interface TodosCounted {
  pending: number
  unread: number
  as_of: number
}

/** `looked_at` of `people` were asked about in the OA by `at`. */
export interface TourUnderWay {
  looked_at: number
  people: number
  at: number
}

/** Hand a group one owns to another member. */
export interface TransferOwner {
  conversation_id: string
  person_id: string
}

/** A member is writing. Not kept; shown for a few seconds. */
export interface Typed {
  conversation_id: string
  person_id: string
}

/** The actor is writing in a conversation. */
export interface Typing {
  conversation_id: string
}

/** Take a person's WeCom id away: notices stop, sessions that came by it end (administrators). */
export interface Unbind {
  person_id: string
}

/** Stop hearing a watched channel. */
export interface Unwatch {
  channel: string
}

/** Remind whoever holds a document now; for who started it or has dealt with it. Once in four hours for each holder, not within two hours of its coming there, and of five documents a day. */
export interface UrgeHolders {
  request_id: string
  words?: string
}

/** What became of it, for each holder; empty when nobody but the actor holds it. */
export interface Urged {
  holders: HolderCard[]
}

/** Tell whether the page is on the screen; figures and lists are fresher for those who look. */
export interface Visible {
  visible: boolean
}

/** `n` documents, of which `here` were decided in Yuanxin. Minutes from arrival to the end: the median and the 90th percentile by nearest rank (null of none), to three figures; and the shares, 0 to 1, that were over within ten minutes, an hour and a day. */
export interface Waited {
  n: number
  here: number
  median: number | null
  p90: number | null
  within_10_minutes: number
  within_hour: number
  within_day: number
}

/** Hear a channel that one is not a member of (a board, a dashboard). */
export interface Watch {
  channel: string
}

/** Where the channel stands, and for a state channel its newest values by key. */
export interface Watched {
  position: number
  state: Record<string, unknown>
}

/** What was found, as far as it went. */
export interface WeComExamined {
  findings: WeComFinding[]
}

/** One step: `settings`, `secret`, `address`, `scope` or `callback`; WeCom's errcode if it gave one. */
export interface WeComFinding {
  step: string
  found: "bad" | "good" | "unknown"
  code: number
  detail: string
}

/** Copies that came in a week, from Monday on; only days of the range. */
export interface WeekReadCounts {
  copies: number
  read: number
  day_copies: number
  day_read: number
  three_days_copies: number
  three_days_read: number
  monday: string
}

/** A week, from Monday on; only days up to the range's last. */
export interface WeekWaited {
  n: number
  here: number
  median: number | null
  p90: number | null
  within_10_minutes: number
  within_hour: number
  within_day: number
  monday: string
}

/** Comment on a post, or reply to a comment of it. Repeats are known by their client_id. */
export interface WriteComment {
  post_id: string
  client_id: string
  text: string
  reply_to?: string | null
}

/** Write a post. The same client_id from the same author is the same post, however often it comes; other words under a client_id that was used are refused with `conflict`. */
export interface WritePost {
  board_id: string
  client_id: string
  text: string
  title?: string
}

/** Where an event stands: its channel, and its position there (null: not kept). */
export interface Placed {
  channel: string
  position: number | null
}

export interface Commands {
  "account.change_password": { fields: ChangePassword; result: Nothing }
  "account.me": { fields: ShowMe; result: Me }
  "account.revoke_session": { fields: RevokeSession; result: Nothing }
  "account.sessions": { fields: ListSessions; result: Devices }
  "account.set_settings": { fields: ChangeSettings; result: Chosen }
  "account.sign_out": { fields: SignOut; result: Nothing }
  "chat.add_members": { fields: AddMembers; result: Nothing }
  "chat.configure": { fields: Configure; result: Configuration }
  "chat.conversation": { fields: ShowConversation; result: ConversationShown }
  "chat.conversations": { fields: ListConversations; result: ConversationList }
  "chat.create_group": { fields: CreateGroup; result: ConversationId }
  "chat.deliveries": { fields: ListDeliveries; result: Deliveries }
  "chat.history": { fields: History; result: HistoryPage }
  "chat.leave": { fields: Leave; result: Nothing }
  "chat.mark_read": { fields: MarkRead; result: ReadUpTo }
  "chat.mirror": { fields: ShowMirror; result: MirrorShown }
  "chat.open": { fields: OpenConversation; result: ConversationId }
  "chat.readers": { fields: ListReaders; result: Readers }
  "chat.recall": { fields: Recall; result: RecalledAt }
  "chat.remove_member": { fields: RemoveMember; result: Nothing }
  "chat.rename": { fields: Rename; result: Nothing }
  "chat.retry_mirror": { fields: RetryMirror; result: MirrorShown }
  "chat.search": { fields: SearchMessages; result: SearchPage }
  "chat.send": { fields: SendMessage; result: Sent }
  "chat.set_mirror": { fields: SetMirror; result: MirrorShown }
  "chat.transfer_owner": { fields: TransferOwner; result: Nothing }
  "chat.typing": { fields: Typing; result: Nothing }
  "contacts.card": { fields: ShowCard; result: CardShown }
  "contacts.department": { fields: ShowDepartment; result: DepartmentShown }
  "contacts.people": { fields: NamePeople; result: People }
  "contacts.search": { fields: SearchContacts; result: ContactsFound }
  "contacts.tree": { fields: ShowTree; result: Departments }
  "dashboard.range": { fields: ShowRange; result: RangeShown }
  "dashboard.scopes": { fields: Scopes; result: ScopesShown }
  "deputies.end": { fields: EndDeputation; result: Nothing }
  "deputies.opened": { fields: DeputedOpened; result: Nothing }
  "deputies.remind": { fields: RemindPrincipal; result: PrincipalReminded }
  "deputies.set": { fields: NameDeputy; result: DeputyNamed }
  "deputies.show": { fields: ShowDeputies; result: Deputies }
  "deputies.todos": { fields: ListDeputed; result: Deputed }
  "documents.act": { fields: Act; result: Acted }
  "documents.blank": { fields: OpenBlank; result: BlankCard }
  "documents.keep_draft": { fields: KeepDraft; result: DraftKept }
  "documents.kinds": { fields: ListKinds; result: Kinds }
  "documents.mark_read": { fields: ReadCopies; result: CopiesRead }
  "documents.open": { fields: OpenDocument; result: OpenedCard }
  "documents.opinions": { fields: ListOpinions; result: Opinions }
  "documents.start": { fields: Start; result: Started }
  "documents.urge": { fields: UrgeHolders; result: Urged }
  "forum.answers": { fields: ListAnswersToMe; result: AnswersToMe }
  "forum.board": { fields: ShowBoardSettings; result: BoardSettings }
  "forum.boards": { fields: ListBoards; result: Boards }
  "forum.comment": { fields: WriteComment; result: CommentWritten }
  "forum.hide": { fields: Hide; result: HiddenNow }
  "forum.like": { fields: LikePost; result: Likes }
  "forum.list": { fields: ListPosts; result: PostPage }
  "forum.post": { fields: WritePost; result: PostWritten }
  "forum.save_board": { fields: SaveBoard; result: BoardSaved }
  "forum.show": { fields: ShowPost; result: PostShown }
  "host.binding": { fields: ShowBinding; result: BindingShown }
  "host.bindings": { fields: ListBindings; result: BindingsPage }
  "host.claims": { fields: ListClaims; result: ClaimsListed }
  "host.js_config": { fields: JsConfig; result: JsPermission }
  "host.sync": { fields: ShowSync; result: SyncShown }
  "host.unbind": { fields: Unbind; result: Nothing }
  "mail.count": { fields: CountMail; result: MailCount }
  "mail.delete": { fields: DeleteMail; result: Nothing }
  "mail.list": { fields: ListMail; result: MailPage }
  "mail.open": { fields: OpenMail; result: OpenedMail }
  "mail.readers": { fields: ListMailReaders; result: MailReaders }
  "mail.recall": { fields: RecallMail; result: MailRecalled }
  "mail.search": { fields: SearchMail; result: MailFound }
  "mail.send": { fields: SendMail; result: MailSent }
  "mail.set_read": { fields: SetMailRead; result: Nothing }
  "notices.admin_ledger": { fields: ShowLedger; result: LedgerPage }
  "notices.admin_resend": { fields: ResendNotice; result: NoticeResent }
  "notices.admin_state": { fields: ShowSender; result: SenderShown }
  "notices.admin_test": { fields: ExamineWeCom; result: WeComExamined }
  "notices.preferences": { fields: ShowPreferences; result: NoticePreferences }
  "notices.set_preferences": { fields: SetPreferences; result: NoticePreferences }
  "notices.why": { fields: ShowWhy; result: NoticeHistory }
  "stream.catch_up": { fields: CatchUp; result: CaughtUp }
  "stream.unwatch": { fields: Unwatch; result: Nothing }
  "stream.visible": { fields: Visible; result: Nothing }
  "stream.watch": { fields: Watch; result: Watched }
  "todos.count": { fields: CountTodos; result: TodoCount }
  "todos.list": { fields: ListTodos; result: TodoPage }
  "todos.opened": { fields: TodoOpened; result: Nothing }
  "turnaround.mine": { fields: ShowMine; result: MineShown }
  "turnaround.processes": { fields: ShowProcesses; result: ProcessesShown }
  "turnaround.reading": { fields: ShowReading; result: ReadingShown }
}

export interface Events {
  "account.settings_changed": SettingsChanged & Placed
  "chat.configured": Configured & Placed
  "chat.joined": Joined & Placed
  "chat.left": Left & Placed
  "chat.members_changed": MembersChanged & Placed
  "chat.mirrored": Mirrored & Placed
  "chat.read": MessagesRead & Placed
  "chat.recalled": MessageRecalled & Placed
  "chat.sent": MessageSent & Placed
  "chat.typed": Typed & Placed
  "dashboard.updated": DashboardUpdated & Placed
  "deputies.changed": DeputiesChanged & Placed
  "documents.acted": ActEnded & Placed
  "documents.started": StartEnded & Placed
  "forum.answered": AnsweredToMe & Placed
  "forum.board_changed": BoardChanged & Placed
  "forum.commented": Commented & Placed
  "forum.hidden": Hidden & Placed
  "forum.liked": Liked & Placed
  "forum.posted": Posted & Placed
  "mail.counted": MailCounted & Placed
  "mail.read": MailRead & Placed
  "notices.preferences_changed": PreferencesChanged & Placed
  "todos.counted": TodosCounted & Placed
  "todos.urged": TodoUrged & Placed
}
