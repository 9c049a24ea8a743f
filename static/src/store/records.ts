/* A list on this device with a record for each thing in it: windows that change different things leave each
   other's alone, which one record for the whole list would not. */
import { drop, keep, read, readAll } from "./kept"

export interface Records<T> {
  all(): Promise<[string, T][]>
  keep(key: string, value: T): Promise<boolean>
  drop(key: string): Promise<boolean>
}

/** Earlier versions kept the list as one record of that name; `split` says what was in it. */
export function records<T, L = [string, T][]>(name: string, split: (list: L) => [string, T][]): Records<T> {
  const under = `${name}/`
  const keepOne = (key: string, value: T): Promise<boolean> => keep("state", under + key, value)

  async function splitUp(): Promise<void> {
    const list = await read<L>("state", name)
    if (!list) return
    const kept = await Promise.all(split(list).map(([key, value]) => keepOne(key, value)))
    if (kept.every(Boolean)) await drop("state", name)
  }

  return {
    async all() {
      await splitUp()
      return (await readAll<T>("state", under)).map(([at, value]) => [at.slice(under.length), value])
    },
    keep: keepOne,
    drop: (key) => drop("state", under + key),
  }
}
