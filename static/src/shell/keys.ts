/* Shortcuts of the whole page: Ctrl+K searches, Escape leaves the content pane. */
import { useRoute, useRouter } from "vue-router"
import { addressOf } from "./router"
import { isWide } from "./layout"

export function listenForKeys(): void {
  const router = useRouter()
  const route = useRoute()
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault()
      void router.push("/search")
    }
    if (event.key === "Escape" && isWide.value && route.meta.pane === "content" && route.meta.tab) {
      if (route.path.endsWith("/details")) void router.push(route.path.replace(/\/details$/, ""))
      else void router.push(addressOf(route.meta.tab))
    }
  })
}
