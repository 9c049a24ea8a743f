/* What stays on this device between visits, one IndexedDB per person, wiped at sign-out.
   Every call swallows a failing database (private windows, full disks): the page then merely
   forgets. Only the outbox needs to know, which is why writes answer whether they were kept. */

export const DRAWERS = ["state", "outbox", "drafts", "windows"] as const
export type Drawer = (typeof DRAWERS)[number]

const PREFIX = "yuanxin:"
let opened: Promise<IDBDatabase> | null = null
let openedFor = ""

export function useAccount(personId: string): void {
  if (openedFor === personId) return
  close()
  openedFor = personId
}

function close(): void {
  unfinished.clear()
  void opened?.then((database) => database.close()).catch(() => undefined)
  opened = null
  openedFor = ""
}

function database(): Promise<IDBDatabase> {
  if (!openedFor) return Promise.reject(new Error("no account"))
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(PREFIX + openedFor, 1)
    request.onupgradeneeded = () => {
      for (const drawer of DRAWERS) request.result.createObjectStore(drawer)
    }
    request.onsuccess = () => {
      catchUp(request.result)
      request.result.onversionchange = () => request.result.close()
      // Phones close it behind a page's back; what is written next opens it again.
      request.result.onclose = () => (opened = null)
      resolve(request.result)
    }
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error("blocked"))
  })
  return opened
}

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

export async function read<T>(drawer: Drawer, key: string): Promise<T | undefined> {
  try {
    const store = (await database()).transaction(drawer).objectStore(drawer)
    return (await finished(store.get(key))) as T | undefined
  } catch {
    return undefined
  }
}

/** What a drawer holds, or of it what is kept under keys that begin so. */
export async function readAll<T>(drawer: Drawer, prefix = ""): Promise<[string, T][]> {
  try {
    const store = (await database()).transaction(drawer).objectStore(drawer)
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`)
    const [keys, values] = await Promise.all([
      finished(store.getAllKeys(range)),
      finished(store.getAll(range)),
    ])
    return keys.map((key, index) => [String(key), values[index] as T])
  } catch {
    return []
  }
}

export async function keep(drawer: Drawer, key: string, value: unknown): Promise<boolean> {
  return changed([drawer, key, value], (store) => {
    try {
      store.put(value, key)
    } catch {
      // A reactive object cannot be cloned as it is; what we keep is plain data.
      store.put(JSON.parse(JSON.stringify(value)), key)
    }
  })
}

export async function drop(drawer: Drawer, key: string): Promise<boolean> {
  return changed([drawer, key, null], (store) => store.delete(key))
}

export async function empty(drawer: Drawer): Promise<boolean> {
  return written(drawer, (store) => store.clear())
}

async function written(drawer: Drawer, write: (store: IDBObjectStore) => void): Promise<boolean> {
  try {
    const transaction = (await database()).transaction(drawer, "readwrite")
    write(transaction.objectStore(drawer))
    // Without being told to, the browser lets go of it when the page goes in this moment.
    transaction.commit?.()
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onerror = transaction.onabort = () => reject(transaction.error)
    })
    return true
  } catch {
    return false
  }
}

/* A page that goes takes along what it was just telling the database. So that is noted where writing
   does not wait, and whoever opens the database next tells it. */
type Change = [drawer: Drawer, key: string, value: unknown]
const unfinished = new Set<Change>()
const NOTE = ` ${Math.random()}`
let isNoted = false

async function changed(change: Change, write: (store: IDBObjectStore) => void): Promise<boolean> {
  unfinished.add(change)
  const isKept = await written(change[0], write)
  unfinished.delete(change)
  if (isNoted) note()
  return isKept
}

function note(): void {
  const changes = [...unfinished].filter(([drawer]) => drawer !== "windows")
  const at = PREFIX + openedFor + NOTE
  isNoted = changes.length > 0
  try {
    if (isNoted) localStorage.setItem(at, JSON.stringify(changes))
    else localStorage.removeItem(at)
  } catch {
    /* No room for it: then only the database may still take it. */
  }
}

function notes(personId: string): string[] {
  return Object.keys(localStorage).filter((at) => at.startsWith(`${PREFIX}${personId} `))
}

function catchUp(database: IDBDatabase): void {
  for (const at of notes(openedFor)) {
    const transaction = database.transaction(DRAWERS, "readwrite")
    for (const [drawer, key, value] of JSON.parse(localStorage.getItem(at) ?? "[]") as Change[]) {
      const store = transaction.objectStore(drawer)
      if (value === null) store.delete(key)
      else store.put(value, key)
    }
    transaction.oncomplete = () => localStorage.removeItem(at)
  }
}

/** Called when the page may be gone in a moment: keep now what waits to be kept. */
export function onLeaving(settle: () => void): void {
  addEventListener("pagehide", () => {
    settle()
    note()
  })
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && settle())
}

/** Forgets a person on this device for good. */
export async function wipe(personId: string): Promise<void> {
  close()
  notes(personId).forEach((at) => localStorage.removeItem(at))
  await new Promise<void>((resolve) => {
    try {
      const request = indexedDB.deleteDatabase(PREFIX + personId)
      request.onsuccess = request.onerror = request.onblocked = () => resolve()
    } catch {
      resolve()
    }
  })
}
