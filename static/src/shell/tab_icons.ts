import type { IconName } from "../parts/icons"
import type { Tab } from "./router"

export const TAB_ICONS: Record<Tab, IconName> = {
  messages: "chat",
  todos: "todo",
  apps: "apps",
  contacts: "contacts",
  me: "me",
}
