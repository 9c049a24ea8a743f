/* Commands and sign-in over HTTP. The session rides in a cookie the page cannot read; the page
   therefore keeps no token of its own, not even in memory. */
import { noteServerTime } from "./clock"
import { Refusal, resultOf } from "./refusal"
import type { CommandName, Fields, Result } from "./shapes"

const HTTP_TIMEOUT_MS = 15_000

/** Whom this page shows. The cookie is the browser's and may be another's by now: whoever has signed in
    in another window. The server then refuses, and nothing is done in the wrong name. */
let shown = ""
export function speakFor(personId: string): void {
  shown = personId
}

async function ask(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), HTTP_TIMEOUT_MS)
  const asker = shown
  try {
    const response = await fetch(`/api/v1/${path}`, {
      method,
      credentials: "same-origin",
      headers: {
        ...(asker && { "Yuanxin-Person": encodeURIComponent(asker) }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: controller.signal,
    })
    noteServerTime(response.headers.get("date"))
    const answer = await response.json().catch(() => undefined)
    // An answer to somebody who has left meanwhile is for nobody who came after.
    if (asker && asker !== shown) throw new Refusal("offline")
    if (response.status === 401 && !answer?.error) throw new Refusal("unauthenticated")
    if (response.status >= 500 && !answer?.error) throw new Refusal("unavailable")
    if (!response.ok) resultOf(answer)
    return answer
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(controller.signal.aborted ? "timeout" : "offline")
  } finally {
    clearTimeout(timer)
  }
}

export const get = (path: string): Promise<unknown> => ask("GET", path)
export const post = (path: string, body: unknown): Promise<unknown> => ask("POST", path, body)

export async function commandByHttp<C extends CommandName>(
  name: C,
  fields: Fields<C>,
): Promise<Result<C>> {
  return resultOf(await post(`commands/${name}`, fields)) as Result<C>
}

export interface SignedIn {
  token: string
  expires_at: number
  person: { person_id: string; name: string }
}

export async function signIn(account: string, password: string): Promise<SignedIn> {
  return (await post("auth/login", { account, password })) as SignedIn
}

export async function fetchTicket(): Promise<string> {
  return ((await post("auth/ticket", {})) as { ticket: string }).ticket
}

export async function signOutByHttp(): Promise<void> {
  await post("auth/logout", {})
}
