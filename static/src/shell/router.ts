/* Every screen has its own address. A screen is a list (it belongs to a tab and stays alive) or
   content (it opens over the list on a phone, beside it on a wide page). */
import "./clean_address"
import { ref, watch } from "vue"
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router"
import { t } from "../i18n"
import { features, fetchFeatures } from "./features"
import { putAway, say } from "./overlays"
import { SCREENS } from "./screens"
import { useSession } from "../store/session"

export const TABS = ["messages", "todos", "apps", "contacts", "me"] as const
export type Tab = (typeof TABS)[number]

declare module "vue-router" {
  interface RouteMeta {
    tab?: Tab
    pane?: "list" | "content"
    open?: boolean
  }
}

const LOST = "lost"
const Nothing = { render: () => null }

function list(path: string, tab: Tab): RouteRecordRaw {
  return { path, component: Nothing, meta: { tab, pane: "list" } }
}

function content(path: string, tab: Tab, component: () => Promise<unknown>): RouteRecordRaw {
  return { path, component: component as RouteRecordRaw["component"] & object, props: true, meta: { tab, pane: "content" } }
}

/* Told before the router is: whether it was the back gesture that wants to leave. */
let isBack = false
addEventListener("popstate", () => {
  isBack = true
  setTimeout(() => (isBack = false), 0)
})

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", redirect: "/messages" },
    { path: "/sign-in", component: () => import("../screens/SignIn.vue"), meta: { open: true } },
    { path: "/bind", component: () => import("../features/host/Bind.vue"), meta: { open: true } },
    list("/messages", "messages"),
    list("/todos", "todos"),
    list("/apps", "apps"),
    list("/contacts", "contacts"),
    list("/contacts/:departmentId", "contacts"),
    list("/me", "me"),
    content("/c/:conversationId", "messages", SCREENS.chat),
    content("/c/:conversationId/details", "messages", SCREENS.chat),
    content("/new-group", "messages", () => import("../screens/NewGroup.vue")),
    content("/search", "messages", () => import("../screens/Search.vue")),
    content("/d/:requestId", "todos", SCREENS.document),
    content("/p/:personId", "contacts", SCREENS.person),
    content("/devices", "me", () => import("../screens/Devices.vue")),
    content("/password", "me", () => import("../screens/Password.vue")),
    content("/me/notices", "me", () => import("../features/notices/screens").then(({ Record }) => Record)),
    content("/me/notice-settings", "me", () => import("../features/notices/screens").then(({ Preferences }) => Preferences)),
    content("/me/deputy", "me", () => import("../features/deputies/Deputy.vue")),
    content("/p/:personId/deputy", "contacts", () => import("../features/deputies/Deputy.vue")),
    content("/admin/notices", "me", () => import("../features/notices/Admin.vue")),
    content("/admin/wecom", "me", () => import("../features/host/WeComAdmin.vue")),
    content("/about", "me", () => import("../screens/About.vue")),
    { path: "/:rest(.*)*", name: LOST, component: () => import("../screens/Lost.vue"), meta: { pane: "content" } },
  ],
})

watch(features, (all) => all.flatMap(({ routes }) => routes).forEach((route) => router.addRoute(route)), { flush: "sync" })

/** Asks for the file of the screen at this address while it is still being found out who is here. */
export function fetchFirst(): void {
  const { name, matched } = router.resolve(location.pathname)
  const loads = name === LOST ? [fetchFeatures] : matched.map(({ components }) => components?.default)
  for (const load of loads)
    if (typeof load === "function") (load as () => Promise<unknown>)().catch(() => undefined)
}

/** Whether the first screen of the visit could not be fetched, so that there is none to stay on. */
export const isStuck = ref(false)

/* A screen that could not be fetched: stay where one is and say why. */
router.onError(() => {
  isStuck.value = !router.currentRoute.value.matched.length
  if (!isStuck.value) say(t("refused.offline"), true)
})

router.beforeEach(async (to) => {
  if (isBack && putAway()) return false
  const session = useSession()
  if (!session.isSignedIn && !to.meta.open)
    return { path: "/sign-in", query: to.path === "/messages" ? {} : { next: to.fullPath } }
  if (session.isSignedIn && to.path === "/sign-in") return "/messages"
  if (to.name === LOST && !features.value.length) {
    // It may be an address of a feature, opened from a card.
    await fetchFeatures()
    return to.fullPath
  }
  return true
})

/** Where a tab was left, so that coming back to it comes back there. */
const left: Partial<Record<Tab, string>> = {}
router.afterEach((to) => {
  if (to.meta.tab && to.meta.pane === "list") left[to.meta.tab] = to.fullPath
})

export function addressOf(tab: Tab): string {
  return left[tab] ?? `/${tab}`
}
