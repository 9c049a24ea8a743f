/* Start: settings, what the device remembers, the first screen; the socket only after its paint. */
import "./styles/tokens.css"
import "./styles/base.css"
import { createPinia } from "pinia"
import { createApp } from "vue"
import App from "./shell/App.vue"
import { router } from "./shell/router"
import { useLife, watchForWaking } from "./store/life"
import { useSettings } from "./store/settings"

const FETCH_AHEAD_MS = 3_000
const RELOADED_KEY = "yuanxin.reloaded"

/* After an upgrade an open page asks for files that are gone: load the new page, once. */
addEventListener("vite:preloadError", (event) => {
  event.preventDefault()
  const last = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0)
  if (Date.now() - last < 60_000) return
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()))
  location.reload()
})

/** The two screens most likely to come next, once nothing else wants the line. */
function fetchAhead(): void {
  void import("./screens/chat/Chat.vue")
  void import("./screens/Todos.vue")
}

async function begin(): Promise<void> {
  const app = createApp(App).use(createPinia())
  const life = useLife()
  await Promise.all([useSettings().apply(), life.begin()])
  app.use(router).mount("#app")
  watchForWaking()
  requestAnimationFrame(() => setTimeout(() => life.follow(), 0))
  setTimeout(fetchAhead, FETCH_AHEAD_MS)
}

void begin()
