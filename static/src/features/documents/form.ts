/* What a form is made of, and what may be wrong with what is typed into it. Values are as the wire has
   them: ids of people and departments of the house joined by commas, YYYY-MM-DD, HH:MM, "1" or "0". */
import { listed } from "../../i18n"
import { useContacts } from "../../store/contacts"
import { usePeople } from "../../store/people"
import type { Result } from "../../wire/shapes"
import { amount } from "./figures"
import { w } from "./words"

export type Field = Result<"documents.blank">["fields"][number]
export type Table = Result<"documents.blank">["tables"][number]
/** By the field's name; a field that is not in it has the value it came with. */
export type Values = Record<string, string>
export type Problem = "missing" | "kept" | "number" | "date" | "time" | "choice" | "long"

export type Rows = Values[]
/** What is wrong in the rows of a table: a sentence by the column's name. */
export type RowErrors = Record<string, string>[]

export const ROWS_LIMIT = 200
export const VALUE_LIMIT = 4_000
const ELSEWHERE = new Set<Field["kind"]>(["attachments", "other"])
const LONG = new Set<Field["kind"]>(["long_text", "people", "departments", "attachments"])

/** Can be filled in here; files and what only the OA's own page knows cannot. */
export function isFillable(field: Field): boolean {
  return field.may_edit && !ELSEWHERE.has(field.kind)
}

/** Has to be filled in, and only the OA's own page can do that: such a form cannot be sent from here. */
export function isNeededElsewhere(field: Field): boolean {
  return field.must_fill && !isFillable(field) && !field.value && !field.shown
}

export function isWideField(field: Field): boolean {
  return LONG.has(field.kind)
}

export function valueIn(values: Values, field: Field): string {
  return values[field.name] ?? field.value
}

/** The rows of a table as they are now: as changed, or as they came. */
export function rowsIn(changed: (Rows | null)[], table: Table, place: number): Rows {
  return changed[place] ?? table.rows.map((row) => Object.fromEntries(row.map(({ name, value }) => [name, value])))
}

export function idsIn(value: string): string[] {
  return value.split(",").filter(Boolean)
}

export function fieldId(prefix: string, name: string): string {
  return `${prefix}-${name}`
}

const PATTERNS: Partial<Record<Field["kind"], [RegExp, Problem]>> = {
  number: [/^-?\d{1,18}(\.\d{1,8})?$/, "number"],
  money: [/^-?\d{1,18}(\.\d{1,8})?$/, "number"],
  date: [/^\d{4}-\d{2}-\d{2}$/, "date"],
  time: [/^\d{2}:\d{2}(:\d{2})?$/, "time"],
}

export function problemOf(field: Field, value: string): Problem | null {
  if (!isFillable(field)) return null
  const typed = value.trim()
  // The OA passes over what is empty: what it has there would stay.
  if (!typed) return field.must_fill ? "missing" : field.value ? "kept" : null
  if (typed.length > VALUE_LIMIT) return "long"
  const [pattern, problem] = PATTERNS[field.kind] ?? []
  if (pattern && problem && !pattern.test(typed)) return problem
  if (field.kind === "choice" && !field.options.some((option) => option.value === typed)) return "choice"
  return null
}

/** What is wrong, in words, by the field's name. */
export function problemsIn(fields: Field[], values: Values): Record<string, string> {
  const found = fields.flatMap((field) => {
    const problem = problemOf(field, valueIn(values, field))
    return problem ? [[field.name, w(`problem.${problem}`)]] : []
  })
  return Object.fromEntries(found)
}

/** The same for the rows of every table. */
export function problemsInRows(tables: Table[], changed: (Rows | null)[]): RowErrors[] {
  return tables.map((table, place) => rowsIn(changed, table, place).map((row) => problemsIn(table.columns.map((column) => ({ ...column, value: "" })), row)))
}

/** How values are read: names for ids, labels for options. */
export function useReading(): { read: (field: Field, value: string) => string; nameOf: (field: Field, id: string) => string } {
  const people = usePeople()
  const contacts = useContacts()
  let asked = false

  function departmentOf(id: string): string {
    if (!contacts.departments && !asked) {
      asked = true
      void contacts.loadTree().catch(() => undefined)
    }
    return contacts.byId.get(id)?.name ?? ""
  }

  function nameOf(field: Field, id: string): string {
    return field.kind.startsWith("department") ? departmentOf(id) : people.nameOf(id)
  }

  function read(field: Field, value: string): string {
    if (value === field.value && field.shown) return field.kind === "money" ? amount(field.shown, "money") : field.shown
    switch (field.kind) {
      case "person":
      case "people":
      case "department":
      case "departments":
        return listed(idsIn(value).map((id) => nameOf(field, id) || "…"))
      case "choice":
        return field.options.find((option) => option.value === value)?.label ?? value
      case "check":
        return value ? w(value === "1" ? "field.yes" : "field.no") : ""
      case "money":
        return amount(value, "money")
      default:
        return value
    }
  }

  return { read, nameOf }
}
