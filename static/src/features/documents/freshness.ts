/* Signed addresses grow old: whoever shows files may ask for them anew. */
import type { InjectionKey } from "vue"
import type { Opened } from "./shapes"

export interface Freshness {
  isFresh: () => boolean
  urlOf: (attachmentId: string) => Promise<string | undefined>
}
export const FRESHNESS: InjectionKey<Freshness> = Symbol("freshness")

/** A minute less than the server's ten, for clocks and slow fingers. */
export const GOOD_FOR_MS = 9 * 60_000

/** All files of a document, wherever they hang, each once. */
export function filesOf({ fields, tables, opinions }: Opened) {
  const cells = tables.flatMap(({ rows }) => rows.flat())
  const all = [...fields, ...cells, ...opinions].flatMap(({ attachments }) => attachments)
  return [...new Map(all.map((file) => [file.id, file])).values()]
}
