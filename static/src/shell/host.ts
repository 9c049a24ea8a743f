/* The phone, by WeCom's own script: its chats, its profiles, its viewer, its camera. Only ever imported when
   one of them is used, and only inside WeCom; anywhere else each has a plain way, or says that it has none. */
import { command } from "../wire/connection"
import { isInsideWeCom } from "./silent_sign_in"

type Sdk = typeof import("@wecom/jssdk")
const CALLS = ["openEnterpriseChat", "openUserProfile", "chooseImage", "getLocalImgData", "previewImage", "previewFile", "closeWindow"]
let loading: Promise<Sdk> | null = null

interface Shown {
  timestamp: number
  nonce: string
  signature: string
}

/** The script, registered for this page. Rejects outside of WeCom, or when the server cannot sign. */
function sdk(): Promise<Sdk> {
  if (!isInsideWeCom()) return Promise.reject(new Error("not inside WeCom"))
  loading ??= register().catch((error: unknown) => {
    loading = null
    throw error
  })
  return loading
}

async function register(): Promise<Sdk> {
  const [ww, first] = await Promise.all([import("@wecom/jssdk"), permission(location.href)])
  ww.register({
    corpId: first.corp_id,
    agentId: first.agent_id,
    jsApiList: CALLS,
    getConfigSignature: async (url) => shown((await permission(url)).config),
    getAgentConfigSignature: async (url) => shown((await permission(url)).agent_config),
  })
  return ww
}

/** Both signatures come together; the script asks for one after the other. */
const permissions = new Map<string, ReturnType<typeof ask>>()
function ask(url: string) {
  return command("host.js_config", { url })
}
function permission(address: string): ReturnType<typeof ask> {
  const url = address.replace(/#.*$/, "")
  let asked = permissions.get(url)
  if (!asked) {
    asked = ask(url)
    permissions.clear()
    permissions.set(url, asked)
    asked.catch(() => permissions.delete(url))
  }
  return asked
}

function shown({ timestamp, nonce, signature }: Shown) {
  return { timestamp, nonceStr: nonce, signature }
}

/** Opens a talk with colleagues in WeCom itself. */
export async function openChat(userIds: string[]): Promise<void> {
  await (await sdk()).openEnterpriseChat({ userIds })
}

/** Opens a colleague's card in WeCom itself. */
export async function openProfile(userId: string): Promise<void> {
  const ww = await sdk()
  await ww.openUserProfile({ type: ww.OpenUserProfileType.internal, userid: userId })
}

/** Pictures from album or camera, as files. Outside of WeCom the browser asks for them. */
export async function chooseImages(most = 9): Promise<File[]> {
  if (!isInsideWeCom()) return chooseFiles("image/*")
  const ww = await sdk()
  const { localIds } = await ww.chooseImage({ count: most })
  return Promise.all(
    localIds.map(async (localId, place) => {
      const { localData } = await ww.getLocalImgData({ localId })
      // The iPhone names the kind, Android gives the bare letters.
      const address = localData.startsWith("data:") ? localData : `data:image/jpeg;base64,${localData.replace(/\s/g, "")}`
      const [head = "", letters = ""] = address.split(",")
      const kind = /data:([^;]+)/.exec(head)?.[1]?.replace("image/jgp", "image/jpeg") ?? "image/jpeg"
      return new File([Uint8Array.from(atob(letters), (c) => c.charCodeAt(0))], `${place + 1}.${kind.split("/")[1]}`, { type: kind })
    }),
  )
}

function chooseFiles(accept: string): Promise<File[]> {
  return new Promise((resolve) => {
    const input = Object.assign(document.createElement("input"), { type: "file", accept, multiple: true })
    input.onchange = () => resolve([...(input.files ?? [])])
    input.oncancel = () => resolve([])
    input.click()
  })
}

/** Shows pictures one can leaf through; a plain browser opens the one that was tapped. */
export async function previewImages(urls: string[], current: string): Promise<void> {
  const whole = (url: string): string => new URL(url, location.href).href
  try {
    await (await sdk()).previewImage({ current: whole(current), urls: urls.map(whole) })
  } catch {
    open(current, "_blank", "noopener")
  }
}

/** Shows a file in the host's viewer; a plain browser opens it its own way. */
export async function previewFile(url: string, name: string, size: number): Promise<void> {
  try {
    await (await sdk()).previewFile({ url: new URL(url, location.href).href, name, size })
  } catch {
    open(url, "_blank", "noopener")
  }
}

/** Back to WeCom; a plain browser goes back to where it was. */
export async function leaveApp(): Promise<void> {
  try {
    await (await sdk()).closeWindow()
  } catch {
    history.back()
  }
}
