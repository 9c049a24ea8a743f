import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { forgetSilentTries, trySilentSignIn, wecomAddress, whoCame } from "../src/shell/silent_sign_in"

const WXWORK = "Mozilla/5.0 (iPhone) wxwork/4.1.6 MicroMessenger/7.0.1"
let agent = WXWORK
let offered = true
let left: string[] = []

function at(path: string): void {
  history.replaceState(null, "", path)
}

beforeEach(() => {
  vi.useFakeTimers()
  agent = WXWORK
  offered = true
  left = []
  forgetSilentTries()
  at("/d/7?from=card")
  vi.spyOn(navigator, "userAgent", "get").mockImplementation(() => agent)
  vi.spyOn(location, "replace").mockImplementation((to) => void left.push(String(to)))
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ wecom: offered })))
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe("signing in without a screen", () => {
  it("leaves for WeCom and says where it wants to be afterwards", async () => {
    void trySilentSignIn()
    await vi.waitFor(() => expect(left).toEqual(["/api/v1/auth/wecom?to=%2Fd%2F7%3Ffrom%3Dcard"]))
  })

  it("is not tried again within a minute, and is after it", async () => {
    void trySilentSignIn()
    await vi.waitFor(() => expect(left).toHaveLength(1))

    expect(await trySilentSignIn()).toBe(true)
    expect(left).toHaveLength(1)

    vi.setSystemTime(Date.now() + 61_000)
    void trySilentSignIn()
    await vi.waitFor(() => expect(left).toHaveLength(2))
  })

  it("may be tried at once after it has worked", async () => {
    void trySilentSignIn()
    await vi.waitFor(() => expect(left).toHaveLength(1))
    forgetSilentTries()
    void trySilentSignIn()
    await vi.waitFor(() => expect(left).toHaveLength(2))
  })

  it("gives up leaving after a while, so that the form is shown", async () => {
    const tried = trySilentSignIn()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await tried).toBe(true)
  })

  it("is not for other browsers, nor for the sign-in screen, nor where there is no WeCom", async () => {
    agent = "Mozilla/5.0 (iPhone) MicroMessenger/8.0"
    expect(await trySilentSignIn()).toBe(false)
    agent = WXWORK
    for (const path of ["/sign-in?next=/d/7", "/bind"]) {
      at(path)
      expect(await trySilentSignIn()).toBe(false)
    }
    at("/d/7")
    offered = false
    expect(await trySilentSignIn()).toBe(false)
    expect(left).toEqual([])
  })
})

describe("where it begins", () => {
  it("is the picture outside of WeCom", () => {
    agent = "Mozilla/5.0 (Windows NT 10.0) Chrome/140"
    expect(wecomAddress("/d/7")).toBe("/api/v1/auth/wecom/qr?to=%2Fd%2F7")
  })
})

describe("for whom the page was opened", () => {
  it("is told once", () => {
    document.cookie = "yuanxin_came=s0002; path=/"
    expect(whoCame()).toBe("s0002")
    expect(whoCame()).toBe("")
  })
})
