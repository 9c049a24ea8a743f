/* 审批时效: how long documents wait, everybody's and one's own. */
import { screen, type AppFeature } from "../../shell/feature"

export const turnaround: AppFeature = {
  title: { zh: "审批时效", en: "Turn-around" },
  icon: "clock",
  path: "/turnaround",
  group: "office",
  routes: [screen("/turnaround", () => import("./Turnaround.vue"))],
}
