/* Start: settings, what the device remembers, the first screen; the socket only after its paint. */
import "./styles/tokens.css"
import "./styles/base.css"
import { createPinia } from "pinia"
import { createApp } from "vue"
import App from "./shell/App.vue"
import { fetchFirst, router } from "./shell/router"
import { fetchAhead, watchForUpgrades } from "./shell/screens"
import { useLife, watchForWaking } from "./store/life"
import { useSettings } from "./store/settings"

const FETCH_AHEAD_MS = 3_000

async function begin(): Promise<void> {
  const app = createApp(App).use(createPinia())
  const life = useLife()
  fetchFirst()
  await Promise.all([useSettings().apply(), life.begin()])
  app.use(router).mount("#app")
  watchForWaking()
  watchForUpgrades()
  requestAnimationFrame(() => setTimeout(() => life.follow(), 0))
  setTimeout(fetchAhead, FETCH_AHEAD_MS)
}

void begin()
