/* The document title; on wide pages it carries the sum of what is unread and what waits. */
import { watchEffect } from "vue"
import { useRoute } from "vue-router"
import { t } from "../i18n"
import { useConversations } from "../store/conversations"
import { useSession } from "../store/session"
import { useTodos } from "../store/todos"
import { badgeText } from "../store/unread"
import { isWide } from "./layout"

export function keepTitle(): void {
  const conversations = useConversations()
  const todos = useTodos()
  const session = useSession()
  const route = useRoute()
  watchEffect(() => {
    const sum = session.isSignedIn ? conversations.unread + todos.pending : 0
    const count = isWide.value && sum ? `(${badgeText(sum)}) ` : ""
    const id = route.params["conversationId"]
    const chat = typeof id === "string" ? conversations.byId.get(id)?.title : undefined
    const tab = route.meta.tab
    const place = isWide.value ? undefined : (chat ?? (tab ? t(`tab.${tab}`) : undefined))
    document.title = `${count}${place ? `${place} · ` : ""}${t("app.name")}`
  })
}
