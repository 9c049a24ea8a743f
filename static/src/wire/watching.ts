/* Channels that a screen looks at while it is open: boards, dashboards. Nobody is a member of them, so
   a new connection hears none of them until they are asked for again, and what was missed is not
   caught up: each time, the screen gets where the channel stands and loads what it shows. A server that
   is busy, or an answer that did not come, is asked again: the line may hold for hours. */
import { delayBefore } from "./coming_back"
import { isLive, onLive, overSocket, stream } from "./connection"
import { asRefusal, type Refusal } from "./refusal"
import type { Result } from "./shapes"

export interface Watcher {
  /** Called after each start, with the newest values of a state channel by key. */
  started: (from: Result<"stream.watch">) => void
  refused: (why: Refusal) => void
}

const watched = new Map<string, Set<Watcher>>()
/** Channels that will be asked for again. */
const waiting = new Map<string, ReturnType<typeof setTimeout>>()
/** As after so many tries to connect: a busy server is not asked by everybody at once. */
const TRIES = 2

/** Looks at a channel from now on; call what comes back to look away. */
export function watchChannel(channel: string, watcher: Watcher): () => void {
  const watchers = watched.get(channel) ?? new Set()
  watched.set(channel, watchers.add(watcher))
  stream.again.set(channel, () => void begin(channel))
  if (isLive.value) void begin(channel)
  return () => {
    watchers.delete(watcher)
    if (watchers.size || watched.get(channel) !== watchers) return
    watched.delete(channel)
    wait(channel, null)
    stream.leave(channel)
    if (isLive.value) void overSocket("stream.unwatch", { channel }).catch(() => undefined)
  }
}

async function begin(channel: string): Promise<void> {
  stream.restart(channel)
  try {
    const answer = await overSocket("stream.watch", { channel })
    stream.stands(channel, answer.position)
    wait(channel, null)
    watched.get(channel)?.forEach((watcher) => watcher.started(answer))
  } catch (error) {
    const why = asRefusal(error)
    wait(channel, why.isPassing && watched.has(channel) ? why : null)
    watched.get(channel)?.forEach((watcher) => watcher.refused(why))
  }
}

/** Asks again after a refusal that passes; with none, not any more. */
function wait(channel: string, why: Refusal | null): void {
  clearTimeout(waiting.get(channel))
  waiting.delete(channel)
  if (!why) return
  const after = Math.max(why.retryAfterMs ?? 0, delayBefore(TRIES))
  waiting.set(channel, setTimeout(() => isLive.value && void begin(channel), after))
}

onLive(() => {
  for (const channel of watched.keys()) void begin(channel)
})
