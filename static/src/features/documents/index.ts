/* 公文: starting one. What waits, what is done and one document whole are screens of the 待办 tab. */
import type { AppFeature } from "../../shell/feature"
import "./listening"

type Route = AppFeature["routes"][number]

const screens = (): Promise<typeof import("./start_screens")> => import("./start_screens")

function beside(path: string, component: () => Promise<unknown>): Route {
  return { path, component: component as Route["component"] & object, props: true, meta: { tab: "todos", pane: "content" } }
}

export const documents: AppFeature = {
  title: { zh: "公文", en: "Documents" },
  icon: "edit",
  path: "/start",
  group: "office",
  routes: [
    beside("/start", () => screens().then(({ StartKinds }) => StartKinds)),
    beside("/start/:workflowId", () => screens().then(({ StartForm }) => StartForm)),
  ],
}
