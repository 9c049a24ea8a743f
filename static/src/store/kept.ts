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

export async function readAll<T>(drawer: Drawer): Promise<[string, T][]> {
  try {
    const store = (await database()).transaction(drawer).objectStore(drawer)
    const [keys, values] = await Promise.all([
      finished(store.getAllKeys()),
      finished(store.getAll()),
    ])
    return keys.map((key, index) => [String(key), values[index] as T])
  } catch {
    return []
  }
}

export async function keep(drawer: Drawer, key: string, value: unknown): Promise<boolean> {
  return written(drawer, (store) => {
    try {
      store.put(value, key)
    } catch {
      // A reactive object cannot be cloned as it is; what we keep is plain data.
      store.put(JSON.parse(JSON.stringify(value)), key)
    }
  })
}

export async function drop(drawer: Drawer, key: string): Promise<boolean> {
  return written(drawer, (store) => store.delete(key))
}

export async function empty(drawer: Drawer): Promise<boolean> {
  return written(drawer, (store) => store.clear())
}

async function written(drawer: Drawer, write: (store: IDBObjectStore) => void): Promise<boolean> {
  try {
    const transaction = (await database()).transaction(drawer, "readwrite")
    write(transaction.objectStore(drawer))
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onerror = transaction.onabort = () => reject(transaction.error)
    })
    return true
  } catch {
    return false
  }
}

/** Forgets a person on this device for good. */
export async function wipe(personId: string): Promise<void> {
  close()
  await new Promise<void>((resolve) => {
    try {
      const request = indexedDB.deleteDatabase(PREFIX + personId)
      request.onsuccess = request.onerror = request.onblocked = () => resolve()
    } catch {
      resolve()
    }
  })
}
