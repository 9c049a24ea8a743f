/* A mail being written: what a draft holds, what a reply takes over, how many it will reach. Pure. */
import type { Department, Fields, Result } from "../../wire/shapes"

export interface Draft {
  person_ids: string[]
  department_ids: string[]
  everybody: boolean
  subject: string
  text: string
  reply_to: string | null
}
export type Opened = Result<"mail.open">
export type Shown = Opened["mails"][number]
export type Letter = Omit<Fields<"mail.send">, "client_id">

export const SUBJECT_LIMIT = 200
export const TEXT_LIMIT = 20_000
/** More people than this are asked about before a mail goes out. */
export const MANY = 50

export const BLANK: Draft = { person_ids: [], department_ids: [], everybody: false, subject: "", text: "", reply_to: null }

/** A draft that can be kept: nothing in it belongs to a form any more. */
export function copied(draft: Draft): Draft {
  return { ...draft, person_ids: [...draft.person_ids], department_ids: [...draft.department_ids] }
}

export function isBlank(draft: Draft): boolean {
  return !draft.subject.trim() && !draft.text.trim()
}

export function hasRecipients(draft: Draft): boolean {
  return draft.everybody || draft.person_ids.length + draft.department_ids.length > 0
}

const MARKS = /^(?:(?:回复|转发|re|fwd?)\s*[:：]\s*)+/i

/** A subject under one mark, however often it was answered. */
export function marked(mark: string, subject: string): string {
  return [...`${mark}${subject.replace(MARKS, "")}`].slice(0, SUBJECT_LIMIT).join("")
}

/** What a reply begins with. To one's own mail it goes to whom that mail went. */
export function replyTo(opened: Opened, asked: Shown, myId: string, mark: string, toAll: boolean): Draft {
  const sender = asked.row.sender_id
  const goesOn = toAll || sender === myId
  const people = [sender, ...(goesOn ? (opened.to.person_ids ?? []) : [])]
  return {
    ...BLANK,
    person_ids: [...new Set(people)].filter((id) => id !== myId),
    department_ids: goesOn ? [...(opened.to.department_ids ?? [])] : [],
    everybody: goesOn && !!opened.to.everybody,
    subject: marked(mark, asked.row.subject),
    reply_to: asked.row.mail_id,
  }
}

export function forwarded(asked: Shown, mark: string, head: string): Draft {
  const text = `\n\n${head}\n\n${asked.text ?? ""}`
  return { ...BLANK, subject: marked(mark, asked.row.subject), text: [...text].slice(0, TEXT_LIMIT).join("") }
}

export function letterOf(draft: Draft): Letter {
  const { person_ids, department_ids, everybody, subject, text, reply_to } = copied(draft)
  return { to: { everybody, department_ids, person_ids }, subject: subject.trim(), text, reply_to }
}

export function draftOf({ to, subject, text, reply_to }: Letter): Draft {
  return {
    person_ids: [...(to.person_ids ?? [])],
    department_ids: [...(to.department_ids ?? [])],
    everybody: !!to.everybody,
    subject,
    text,
    reply_to: reply_to ?? null,
  }
}

/** About how many people: somebody named who also works in a department named counts twice. */
export function reach(draft: Draft, byId: ReadonlyMap<string, Department>, roots: readonly Department[]): number {
  const whole = draft.everybody ? roots : draft.department_ids.flatMap((id) => byId.get(id) ?? [])
  const people = draft.everybody ? 0 : draft.person_ids.length
  return whole.reduce((sum, department) => sum + department.people_count, people)
}
