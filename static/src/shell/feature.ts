/* What a feature that opens from the 工作台 brings to the app: its addresses, its tile, its number.
   Its screens, words and stores lie in its own folder and are fetched when they are first opened. */
import { ref, type Ref } from "vue"
import type { RouteRecordRaw } from "vue-router"
import type { Language } from "../i18n"
import type { IconName } from "../parts/icons"
import { command, stream } from "../wire/connection"
import type { Arrived, CommandName, EventName, Result } from "../wire/shapes"

export const GROUPS = ["office", "medical", "culture", "personal"] as const
export type Group = (typeof GROUPS)[number]

export interface AppFeature {
  title: Record<Language, string>
  icon: IconName
  /** Where its tile leads; also its name in what is kept. */
  path: string
  group: Group
  routes: RouteRecordRaw[]
  badge?: Badge
  /** A further way to reach somebody, on their card. */
  onCard?: { title: Record<Language, string>; icon: IconName; to: (personId: string) => string }
}

/** The number on a tile: asked for after each come-back, told by events in between. */
export interface Badge {
  n: Ref<number>
  refresh: () => Promise<void>
  forget: () => void
}

/** A screen of a feature: content beside or over the 工作台. */
export function screen(path: string, component: () => Promise<unknown>): RouteRecordRaw {
  return { path, component: component as RouteRecordRaw["component"] & object, props: true, meta: { tab: "apps", pane: "content" } }
}

/** A badge that one command asks for and one event tells, both with the same number in them. */
export function badge<C extends CommandName, E extends EventName>(
  asked: C,
  told: E,
  number: (from: Result<C> | Arrived<E>) => number,
): Badge {
  const n = ref(0)
  stream.on(told, (event) => (n.value = number(event)))
  return {
    n,
    refresh: async () => {
      n.value = number(await command(asked, {} as never))
    },
    forget: () => {
      n.value = 0
    },
  }
}
