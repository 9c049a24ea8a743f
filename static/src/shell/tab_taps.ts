/* Tapping the tab one is on scrolls its list to the top; twice quickly jumps to what is next. */
import type { Tab } from "./router"

interface Reaction {
  top: () => void
  next?: () => void
}

const DOUBLE_MS = 350
const reactions: Partial<Record<Tab, Reaction>> = {}
let last = { tab: "" as Tab | "", at: 0 }

export function onTabTap(tab: Tab, reaction: Reaction): void {
  reactions[tab] = reaction
}

export function tapActiveTab(tab: Tab): void {
  const now = Date.now()
  const isDouble = last.tab === tab && now - last.at < DOUBLE_MS
  last = { tab, at: now }
  const reaction = reactions[tab]
  if (isDouble && reaction?.next) reaction.next()
  else reaction?.top()
}
