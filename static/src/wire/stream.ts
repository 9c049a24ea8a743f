/* Order for what arrives. Between a connect and the end of its catch-up live events are held;
   afterwards each is applied once, in order, and a gap in a log is read again before going on.
   Knows neither sockets nor stores: it is given a way to ask and is told who listens. */
import { advance, emptyPositions, judge, settle, type Kept } from "./positions"
import type { Arrived, EventName, Fields, Result } from "./shapes"

type Listener<E extends EventName> = (event: Arrived<E>) => void
type Ask = (fields: Fields<"stream.catch_up">) => Promise<Result<"stream.catch_up">>
interface Live {
  name: EventName
  event: Arrived
}

const MOST_ROUNDS = 200
const MOST_HELD = 5_000

export class Stream {
  kept: Kept = emptyPositions()
  private held: Live[] | null = null
  private catching: Promise<void> | null = null
  private listeners = new Map<EventName, Listener<never>[]>()
  private reloaders: (() => void)[] = []
  private watchers: (() => void)[] = []
  private ask: Ask | null = null
  /** Of channels that are merely watched: how to ask for them again. */
  again = new Map<string, () => void>()
  /** Called when a gap could not be read: only a new connection helps then. */
  stuck: () => void = () => undefined

  /** Call what comes back to hear no more; stores hear for as long as the page lives. */
  on<E extends EventName>(name: E, listener: Listener<E>): () => void {
    const others = (): Listener<never>[] => (this.listeners.get(name) ?? []).filter((one) => one !== listener)
    this.listeners.set(name, [...others(), listener as Listener<never>])
    return () => this.listeners.set(name, others())
  }

  /** Called when what was kept is worth nothing any more and state must be loaded afresh. */
  onReload(listener: () => void): void {
    this.reloaders.push(listener)
  }

  onMoved(listener: () => void): void {
    this.watchers.push(listener)
  }

  /** To be called before the socket can bring anything. */
  hold(): void {
    this.held ??= []
  }

  receive(name: EventName, event: Arrived): void {
    if (this.held) {
      if (this.held.length < MOST_HELD) this.held.push({ name, event })
      return
    }
    const verdict = judge(this.kept, event.channel, event.position)
    if (verdict === "apply") this.apply(name, event)
    const again = this.again.get(event.channel)
    if (verdict === "gap" && again) again()
    else if (verdict === "gap" && this.ask) {
      this.held = [{ name, event }]
      void this.catchUp(this.ask).catch(() => this.stuck())
    }
  }

  /** Reads what was missed, then lets the held events go. Rejects if the server cannot be asked;
      what is held stays held for the next try. */
  catchUp(ask: Ask): Promise<void> {
    this.ask = ask
    this.hold()
    this.catching ??= this.rounds(ask).finally(() => (this.catching = null))
    return this.catching
  }

  /** A watched channel is asked for: until the answer is here, it stands wherever its events say. */
  restart(channel: string): void {
    delete this.kept.positions[channel]
  }

  stands(channel: string, position: number): void {
    advance(this.kept, channel, position)
  }

  /** A channel is watched no more. */
  leave(channel: string): void {
    this.again.delete(channel)
    this.restart(channel)
  }

  forget(): void {
    this.kept = emptyPositions()
    this.held = null
    this.ask = null
  }

  private async rounds(ask: Ask): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { epoch, positions } = this.kept
      const answer = await ask(epoch ? { epoch, positions } : {})
      if (answer.reload) this.reloaders.forEach((listener) => listener())
      else this.applyMissed(answer)
      if (!settle(this.kept, answer)) break
    }
    const held = this.held ?? []
    this.held = null
    held.forEach(({ name, event }) => this.receive(name, event))
    this.watchers.forEach((watcher) => watcher())
  }

  private applyMissed(answer: Result<"stream.catch_up">): void {
    for (const [channel, { events }] of Object.entries(answer.channels)) {
      for (const { event, position, data } of events) {
        if (judge(this.kept, channel, position) === "drop") continue
        this.apply(event as EventName, { ...(data as object), channel, position } as Arrived)
      }
    }
  }

  private apply(name: EventName, event: Arrived): void {
    for (const listener of this.listeners.get(name) ?? []) listener(event as never)
    advance(this.kept, event.channel, event.position)
    this.watchers.forEach((watcher) => watcher())
  }
}
