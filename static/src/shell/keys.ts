/* Shortcuts of the whole page: Ctrl+K searches, Escape leaves the content pane. */
import { useRoute, useRouter } from "vue-router"
import { addressOf } from "./router"
import { isWide } from "./layout"

/** The row of a list that opens what is at this address. */
export function rowOf(path: string): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>(".list a")].find((a) => a.getAttribute("href") === path)
}

export function listenForKeys(): void {
  const router = useRouter()
  const route = useRoute()

  /** Back to the list, with the focus on the row that was open, so that a keyboard goes on from there. */
  async function leave(path: string, to: string): Promise<void> {
    await router.push(to)
    ;(rowOf(path) ?? document.querySelector<HTMLElement>(".list [tabindex='0']"))?.focus()
  }

  addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault()
      void router.push("/search")
    }
    if (event.key === "Escape" && isWide.value && route.meta.pane === "content" && route.meta.tab) {
      if (route.path.endsWith("/details")) void router.push(route.path.replace(/\/details$/, ""))
      else void leave(route.path, addressOf(route.meta.tab))
    }
  })
}
