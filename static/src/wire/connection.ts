/* The one socket of this page: a fresh ticket before each try, our own jittered come-back, a
   probe whenever the page wakes or a command stays unanswered. The socket library is fetched
   after the first paint. Whoever owns the page starts it after sign-in and stops it at sign-out. */
import type { Socket } from "socket.io-client"
import { computed, ref } from "vue"
import { delayBefore, waitAsTold } from "./coming_back"
import { commandByHttp, fetchTicket } from "./http"
import { Refusal, asRefusal, resultOf } from "./refusal"
import type { Arrived, CommandName, EventName, Fields, Result } from "./shapes"
import { Stream } from "./stream"

const CONNECT_TIMEOUT_MS = 10_000
const COMMAND_TIMEOUT_MS = 10_000
const PROBE_TIMEOUT_MS = 2_500
const UNANSWERED_MS = 5_000

type Phase = "stopped" | "connecting" | "catching_up" | "live" | "lost"
type Ending = "revoked" | "unauthenticated"
type Closing = { reason: string; reconnect: boolean; retry_after_ms?: number }

export const stream = new Stream()
stream.stuck = () => reconnect()
export const phase = ref<Phase>("stopped")
export const isLive = computed(() => phase.value === "live")

let socket: Socket | null = null
let ticket = ""
let failures = 0
let timer: ReturnType<typeof setTimeout> | undefined
let mayReturn = true
let told: number | undefined
let attempt = 0
let onEnd: (why: Ending) => void = () => undefined
const liveListeners: (() => void)[] = []

/** Called after every catch-up, first connect and come-backs alike. */
export function onLive(listener: () => void): void {
  liveListeners.push(listener)
}

export function start(ended: (why: Ending) => void): void {
  if (phase.value !== "stopped") return
  onEnd = ended
  mayReturn = true
  failures = 0
  void connect()
}

export function stop(): void {
  phase.value = "stopped"
  attempt++
  clearTimeout(timer)
  socket?.disconnect()
}

/** Starts over at once: after the network came back, or when the line is suspected dead. */
export function reconnect(): void {
  if (phase.value === "stopped") return
  mayReturn = true
  failures = 0
  void connect()
}

async function connect(): Promise<void> {
  const mine = ++attempt
  told = undefined
  clearTimeout(timer)
  phase.value = "connecting"
  socket?.disconnect()
  try {
    const [fresh] = await Promise.all([fetchTicket(), theSocket()])
    if (mine !== attempt || !socket) return
    ticket = fresh
    stream.hold()
    socket.connect()
    timer = setTimeout(() => mine === attempt && lost(), CONNECT_TIMEOUT_MS)
  } catch (error) {
    if (mine !== attempt) return
    if (asRefusal(error).code === "unauthenticated") end("unauthenticated")
    else lost(asRefusal(error).retryAfterMs)
  }
}

async function theSocket(): Promise<void> {
  if (socket) return
  const { io } = await import("socket.io-client")
  if (socket) return
  socket = io({
    path: "/socket.io/",
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    autoConnect: false,
    reconnection: false,
    timeout: CONNECT_TIMEOUT_MS,
    auth: (give) => give({ ticket }),
  })
  socket.on("connect", () => void connected(attempt))
  socket.on("connect_error", () => phase.value === "connecting" && lost())
  socket.on("disconnect", () => ["live", "catching_up"].includes(phase.value) && lost())
  socket.on("closing", ({ reason, reconnect: again, retry_after_ms: wait }: Closing) => {
    if (reason === "revoked") end("revoked")
    else if (again === false) mayReturn = false
    else told = waitAsTold(wait)
  })
  socket.onAny((name: string, event: unknown) => {
    if (name !== "closing" && event && typeof event === "object" && "channel" in event)
      stream.receive(name as EventName, event as Arrived)
  })
}

async function connected(mine: number): Promise<void> {
  clearTimeout(timer)
  phase.value = "catching_up"
  try {
    const visible = document.visibilityState === "visible"
    const told = overSocket("stream.visible", { visible }).catch(() => undefined)
    await stream.catchUp((fields) => overSocket("stream.catch_up", fields))
    await told
    if (mine !== attempt) return
    failures = 0
    phase.value = "live"
    liveListeners.forEach((listener) => listener())
  } catch {
    if (mine === attempt) lost()
  }
}

function lost(retryAfterMs = 0): void {
  attempt++
  clearTimeout(timer)
  phase.value = "lost"
  socket?.disconnect()
  if (!mayReturn) return
  const wait = told ?? Math.max(retryAfterMs, delayBefore(failures++))
  timer = setTimeout(() => void connect(), wait)
}

function end(why: Ending): void {
  stop()
  onEnd(why)
}

/** Asks over the socket and nothing else, for what concerns this connection. */
export async function overSocket<C extends CommandName>(
  name: C,
  fields: Fields<C>,
  timeoutMs = COMMAND_TIMEOUT_MS,
): Promise<Result<C>> {
  const asked = socket
  if (!asked?.connected) throw new Refusal("offline")
  const answer = await asked
    .timeout(timeoutMs)
    .emitWithAck(name, fields)
    .catch(() => {
      throw new Refusal(asked.connected ? "timeout" : "offline")
    })
  return resultOf(answer) as Result<C>
}

/** Asks the server: over the socket when it is live, over HTTP until then. */
export async function command<C extends CommandName>(
  name: C,
  fields: Fields<C>,
): Promise<Result<C>> {
  try {
    if (!isLive.value) return await commandByHttp(name, fields)
    const suspicion = setTimeout(() => void probe(), UNANSWERED_MS)
    return await overSocket(name, fields).finally(() => clearTimeout(suspicion))
  } catch (error) {
    if (asRefusal(error).code === "unauthenticated") end("unauthenticated")
    throw error
  }
}

/** Finds out whether the line still carries; if not, starts over at once. */
export async function probe(): Promise<void> {
  if (phase.value === "lost") return reconnect()
  if (phase.value !== "live") return
  const visible = document.visibilityState === "visible"
  try {
    await overSocket("stream.visible", { visible }, PROBE_TIMEOUT_MS)
  } catch (error) {
    if (["timeout", "offline"].includes(asRefusal(error).code)) reconnect()
  }
}

let probedAt = 0
function woke(): void {
  if (Date.now() - probedAt < 500) return
  probedAt = Date.now()
  void probe()
}

export function watchThePage(): void {
  document.addEventListener("visibilitychange", () => void probe())
  addEventListener("online", woke)
  /* An open socket does not notice that the network went; the page is told, so it need not wait. */
  addEventListener("offline", reconnect)
  addEventListener("pageshow", woke)
  addEventListener("focus", woke)
}
