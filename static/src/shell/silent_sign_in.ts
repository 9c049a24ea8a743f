/* Signing in by WeCom. Inside it nobody sees a screen: the page leaves for WeCom's address and comes back
   with the session's cookie; a page without any cookie is sent there by the server before it is loaded. It
   leaves at most once a minute, and never from the sign-in screen, so that whatever goes wrong ends there,
   with the reason, and not in a circle. */
import { get } from "../wire/http"

const TRIED = "yuanxin_tried"
const REST_S = 60
const LEAVES_WITHIN_MS = 10_000
const CAME = "yuanxin_came"

export function isInsideWeCom(): boolean {
  return /wxwork/i.test(navigator.userAgent)
}

/** Where signing in by WeCom begins, to end at one of our own addresses: the picture needs a phone besides. */
export function wecomAddress(to: string): string {
  return `/api/v1/auth/wecom${isInsideWeCom() ? "" : "/qr"}?to=${encodeURIComponent(to)}`
}

/** Whether this server has a WeCom. Unknown counts as no. */
export async function offersWeCom(): Promise<boolean> {
  try {
    return ((await get("auth/ways")) as { wecom: boolean }).wecom
  } catch {
    return false
  }
}

/** Leaves for WeCom where that may help, and then does not come back to the caller. Otherwise whether it
    was tried a moment ago and has not helped. */
export async function trySilentSignIn(): Promise<boolean> {
  if (!isInsideWeCom() || /^\/(sign-in|bind)\b/.test(location.pathname)) return false
  if (cookie(TRIED)) return true
  if (!(await offersWeCom())) return false
  document.cookie = `${TRIED}=1; Max-Age=${REST_S}; path=/; SameSite=Lax`
  location.replace(wecomAddress(location.pathname + location.search))
  // The page stays empty while it leaves; when it cannot leave, the form is better than nothing.
  return new Promise((resolve) => setTimeout(() => resolve(true), LEAVES_WITHIN_MS))
}

/** Signed in: the next time it may be tried at once. */
export function forgetSilentTries(): void {
  drop(TRIED)
}

/** For whom WeCom has just opened this page, told once; "" when it was opened in any other way. */
export function whoCame(): string {
  const found = cookie(CAME)
  if (found) drop(CAME)
  return decodeURIComponent(found).replace(/^"|"$/g, "")
}

function cookie(name: string): string {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))
  return found?.slice(name.length + 1) ?? ""
}

function drop(name: string): void {
  document.cookie = `${name}=; Max-Age=0; path=/`
}
