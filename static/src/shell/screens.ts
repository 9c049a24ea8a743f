/* Screens that come in files of their own: how they are fetched, fetched ahead, and what happens
   when one cannot be. A page that is merely offline must never be reloaded: it would be lost. */
import { defineAsyncComponent, type Component } from "vue"
import NotLoaded from "./NotLoaded.vue"
import { fetchFeatures } from "./features"

type Loader = () => Promise<{ default: Component }>

export const SCREENS = {
  chat: () => import("../screens/chat/Chat.vue"),
  todos: () => import("../features/todos/Todos.vue"),
  document: () => import("../features/documents/Document.vue"),
  contacts: () => import("../screens/Contacts.vue"),
  person: () => import("../screens/Person.vue"),
  apps: () => import("../screens/Apps.vue"),
  me: () => import("../screens/Me.vue"),
  details: () => import("../screens/chat/Details.vue"),
  readers: () => import("../screens/chat/Readers.vue"),
} as const

const MOST_TRIES = 3

/** A screen that is tried again by itself, and says so when it could not be fetched. */
export function fetched(load: Loader): Component {
  return defineAsyncComponent({
    loader: load,
    errorComponent: NotLoaded,
    onError: (_error, retry, fail, tries) => {
      if (tries < MOST_TRIES) setTimeout(retry, tries * 1_000)
      else fail()
    },
  })
}

/** The screens likely to come next, once nothing else wants the line; afterwards they also work
    without one. */
export async function fetchAhead(): Promise<void> {
  for (const load of [...Object.values(SCREENS), fetchFeatures]) await load().catch(() => undefined)
}

/** After an upgrade an open page asks for files that are gone: then, and only then, load anew. */
export function watchForUpgrades(): void {
  const mine = document.querySelector<HTMLScriptElement>("script[type=module][src]")?.src ?? ""
  const file = new URL(mine, location.href).pathname
  addEventListener("vite:preloadError", () => {
    fetch("/", { cache: "no-store" })
      .then(async (page) => {
        if (page.ok && !(await page.text()).includes(file)) location.reload()
      })
      .catch(() => undefined)
  })
}
