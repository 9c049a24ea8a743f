/* What I filled into documents and have not sent, kept on this device until I have acted. Each value is kept
   with what stood there before: where the OA holds something else by now, mine is let go. */
import { drop, keep, read } from "../../store/kept"
import { rowsIn, type Rows, type Values } from "./form"
import type { Opened } from "./shapes"

export interface Filled {
  values: Values
  /** By table; null where nothing was changed. */
  rows: (Rows | null)[]
}

interface Change<T> {
  was: T
  is: T
}

/** At which step, the fields by name, the tables by their place. */
export interface KeptFilled {
  node: string
  fields: Record<string, Change<string>>
  tables: (Change<Rows> | null)[]
}

const keyOf = (requestId: string): string => `filled ${requestId}`

export function changesTo(card: Opened, { values, rows }: Filled): KeptFilled {
  const changed = card.fields.filter(({ name, value }) => (values[name] ?? value) !== value)
  return {
    node: card.node,
    fields: Object.fromEntries(changed.map(({ name, value }) => [name, { was: value, is: values[name] ?? "" }])),
    tables: card.tables.map((table, at) => {
      const [was, is] = [rowsIn([], table, at), rows[at] ?? null]
      return is && !isSame(was, is) ? { was, is } : null
    }),
  }
}

/** What of it still stands on what the OA holds now. */
export function standing(card: Opened, kept: KeptFilled): Filled {
  const fields = kept.node === card.node ? card.fields.filter(({ name, value }) => kept.fields[name]?.was === value) : []
  return {
    values: Object.fromEntries(fields.map(({ name }) => [name, kept.fields[name]?.is ?? ""])),
    rows: card.tables.map((table, at) => {
      const change = kept.node === card.node ? kept.tables[at] : null
      return change && isSame(change.was, rowsIn([], table, at)) ? change.is : null
    }),
  }
}

export async function keepFilled(card: Opened, filled: Filled): Promise<void> {
  const kept = changesTo(card, filled)
  if (Object.keys(kept.fields).length || kept.tables.some(Boolean)) await keep("state", keyOf(card.request_id), kept)
  else await dropFilled(card.request_id)
}

export async function recallFilled(card: Opened): Promise<Filled> {
  const kept = await read<KeptFilled>("state", keyOf(card.request_id))
  return kept ? standing(card, kept) : { values: {}, rows: [] }
}

export async function dropFilled(requestId: string): Promise<void> {
  await drop("state", keyOf(requestId))
}

function isSame(one: Rows, other: Rows): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
