/* The features that open from the 工作台, in the order of their tiles. A new one is a folder here and
   one entry in this list. */
import type { AppFeature } from "../shell/feature"
import { dashboard } from "./dashboard"
import { documents } from "./documents"
import { forum } from "./forum"
import { mail } from "./mail"
import { turnaround } from "./turnaround"

export const FEATURES: AppFeature[] = [documents, mail, forum, dashboard, turnaround]
