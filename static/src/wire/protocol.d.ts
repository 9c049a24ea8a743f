/* Written by `python -m server protocol`; do not edit. What crosses the wire, one interface per shape. */

export interface PersonCard {
  person_id: string
  name: string
  title: string
  department_id: string
  department: string
  avatar_hue: number
  online: boolean
}

export interface PersonDetail extends PersonCard {
  office_phone: string
  mobile: string
  email: string
  employee_number: string
}

export interface Settings {
  theme: "system" | "light" | "dark"
  font: "normal" | "large"
  language: "zh" | "en"
}

export interface ServerLimits {
  recall_seconds: number
  text_limit: number
}

export interface Empty {}

export interface AccountMe {}
export interface AccountMeResult {
  person: PersonCard
  roles: string[]
  session_id: string
  settings: Settings
  server: ServerLimits
}

export interface SetSettings {
  theme?: "system" | "light" | "dark"
  font?: "normal" | "large"
  language?: "zh" | "en"
}

export interface SessionInfo {
  session_id: string
  device: string
  address: string
  created_at: number
  seen_at: number
  current: boolean
}
export interface AccountSessionsResult {
  sessions: SessionInfo[]
}
export interface RevokeSession {
  session_id: string
}

export interface Department {
  department_id: string
  name: string
  parent_id: string | null
  people_count: number
}
export interface ContactsTreeResult {
  departments: Department[]
}
export interface ContactsDepartment {
  department_id: string
}
export interface ContactsDepartmentResult {
  department: Department
  people: PersonCard[]
}
export interface SearchContacts {
  query: string
  limit?: number
}
export interface PeopleResult {
  people: PersonCard[]
}
export interface ContactsCard {
  person_id: string
}
export interface ContactsCardResult {
  person: PersonDetail
}
export interface ContactsPeople {
  person_ids: string[]
}

export interface TextContent {
  kind: "text"
  text: string
  mentions?: string[]
}
export interface RecalledContent {
  kind: "recalled"
}
export type Content = TextContent | RecalledContent

export interface Message {
  message_id: string
  seq: number
  sender_id: string
  client_id: string
  content: Content
  sent_at: number
  recalled_at?: number | null
}

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
  person_id?: string | null
  member_count: number
  owner_id?: string | null
}

export interface Member {
  person_id: string
  role: "owner" | "member"
  joined_at: number
}
export interface ConversationDetail extends Conversation {
  members: Member[]
}

export interface OpenConversation {
  person_id: string
}
export interface ConversationOpened {
  conversation_id: string
}
export interface CreateGroup {
  title: string
  member_ids: string[]
}
export interface SendMessage {
  conversation_id: string
  client_id: string
  content: TextContent
}
export interface SendMessageResult {
  message_id: string
  seq: number
  sent_at: number
}
export interface History {
  conversation_id: string
  before_seq?: number
  after_seq?: number
  limit?: number
}
export interface HistoryResult {
  messages: Message[]
  has_more: boolean
}
export interface ConversationsResult {
  conversations: Conversation[]
}
export interface ConversationQuery {
  conversation_id: string
}
export interface ConversationResult {
  conversation: ConversationDetail
}
export interface MessageReference {
  conversation_id: string
  seq: number
}
export interface MarkReadResult {
  read_seq: number
}
export interface ReadersResult {
  read: { person_id: string; read_at: number }[]
  unread: string[]
}
export interface RecallResult {
  recalled_at: number
}
export interface SearchMessages {
  text: string
  conversation_id?: string
  before?: number
  limit?: number
}
export interface SearchMessagesResult {
  messages: { conversation_id: string; message: Message }[]
  has_more: boolean
}
export interface AddMembers {
  conversation_id: string
  member_ids: string[]
}
export interface MemberReference {
  conversation_id: string
  person_id: string
}
export interface Rename {
  conversation_id: string
  title: string
}
export interface Configure {
  conversation_id: string
  muted?: boolean
  pinned?: boolean
}
export interface ConfigureResult {
  muted: boolean
  pinned: boolean
}
export interface Delivery {
  person_id: string
  state: "queued" | "sent" | "refused" | "dead" | "settled"
  reason?: string | null
  at: number
}
export interface DeliveriesResult {
  deliveries: Delivery[]
}

export interface CatchUp {
  epoch?: string
  positions?: Record<string, number>
}
export interface MissedEvent {
  event: string
  position: number
  data: unknown
}
export interface ChannelCatchUp {
  events: MissedEvent[]
  position: number
  complete: boolean
}
export interface CatchUpResult {
  epoch: string
  reload: boolean
  last_close?: string | null
  channels: Record<string, ChannelCatchUp>
}
export interface Watch {
  channel: string
}
export interface WatchResult {
  position: number
  state: unknown
}
export interface Visible {
  visible: boolean
}

export interface TodoItem {
  item_id: string
  request_id: string
  title: string
  creator_name: string
  received_at: number
  urgency: "normal" | "important" | "urgent"
  node: string
  source: string
  is_new: boolean
}
export interface ListTodos {
  state: "pending" | "done" | "read" | "started"
  page?: number
}
export interface ListTodosResult {
  items: TodoItem[]
  total: number
  as_of: number
  stale: boolean
}
export interface TodoCountResult {
  pending: number
  unread: number
  as_of: number
  stale: boolean
}
export interface TodoOpened {
  request_id: string
}

export interface Commands {
  "account.me": { fields: AccountMe; result: AccountMeResult }
  "account.set_settings": { fields: SetSettings; result: Settings }
  "account.sessions": { fields: Empty; result: AccountSessionsResult }
  "account.revoke_session": { fields: RevokeSession; result: Empty }
  "account.sign_out": { fields: Empty; result: Empty }
  "contacts.tree": { fields: Empty; result: ContactsTreeResult }
  "contacts.department": { fields: ContactsDepartment; result: ContactsDepartmentResult }
  "contacts.search": { fields: SearchContacts; result: PeopleResult }
  "contacts.card": { fields: ContactsCard; result: ContactsCardResult }
  "contacts.people": { fields: ContactsPeople; result: PeopleResult }
  "chat.open": { fields: OpenConversation; result: ConversationOpened }
  "chat.create_group": { fields: CreateGroup; result: ConversationOpened }
  "chat.send": { fields: SendMessage; result: SendMessageResult }
  "chat.history": { fields: History; result: HistoryResult }
  "chat.conversations": { fields: Empty; result: ConversationsResult }
  "chat.conversation": { fields: ConversationQuery; result: ConversationResult }
  "chat.mark_read": { fields: MessageReference; result: MarkReadResult }
  "chat.readers": { fields: MessageReference; result: ReadersResult }
  "chat.recall": { fields: MessageReference; result: RecallResult }
  "chat.typing": { fields: ConversationQuery; result: Empty }
  "chat.search": { fields: SearchMessages; result: SearchMessagesResult }
  "chat.add_members": { fields: AddMembers; result: Empty }
  "chat.remove_member": { fields: MemberReference; result: Empty }
  "chat.leave": { fields: ConversationQuery; result: Empty }
  "chat.transfer_owner": { fields: MemberReference; result: Empty }
  "chat.rename": { fields: Rename; result: Empty }
  "chat.configure": { fields: Configure; result: ConfigureResult }
  "chat.deliveries": { fields: MessageReference; result: DeliveriesResult }
  "stream.catch_up": { fields: CatchUp; result: CatchUpResult }
  "stream.watch": { fields: Watch; result: WatchResult }
  "stream.unwatch": { fields: Watch; result: Empty }
  "stream.visible": { fields: Visible; result: Empty }
  "todos.list": { fields: ListTodos; result: ListTodosResult }
  "todos.count": { fields: Empty; result: TodoCountResult }
  "todos.opened": { fields: TodoOpened; result: Empty }
}

export interface ChatSent {
  conversation_id: string
  message: Message
}
export interface ChatRead {
  conversation_id: string
  person_id: string
  seq: number
  read_at: number
}
export interface ChatRecalled {
  conversation_id: string
  seq: number
  message_id: string
  by: string
  recalled_at: number
}
export interface ChatMembersChanged {
  conversation_id: string
  added: string[]
  removed: string[]
  owner_id: string
  title: string
  by: string
  at: number
}
export interface ChatTyped {
  conversation_id: string
  person_id: string
}
export interface ChatJoined {
  conversation_id: string
  kind: "direct" | "group"
  title: string
  at: number
}
export interface ChatLeft {
  conversation_id: string
  at: number
}
export interface ChatConfigured {
  conversation_id: string
  muted: boolean
  pinned: boolean
}
export interface TodosCounted {
  pending: number
  unread: number
  as_of: number
}
export type SettingsChanged = Settings

export interface Events {
  "chat.sent": ChatSent
  "chat.read": ChatRead
  "chat.recalled": ChatRecalled
  "chat.members_changed": ChatMembersChanged
  "chat.typed": ChatTyped
  "chat.joined": ChatJoined
  "chat.left": ChatLeft
  "chat.configured": ChatConfigured
  "todos.counted": TodosCounted
  "account.settings_changed": SettingsChanged
}
