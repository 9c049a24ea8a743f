/* 运行数据: what the hospital does right now, and what it did. */
import { screen, type AppFeature } from "../../shell/feature"

export const dashboard: AppFeature = {
  title: { zh: "运行数据", en: "Live figures" },
  icon: "chart",
  path: "/dashboard",
  group: "medical",
  routes: [screen("/dashboard", () => import("./Dashboard.vue"))],
}
