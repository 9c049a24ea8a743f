/* Whom a mail went to, in one line of names. */
import { listed } from "../../i18n"
import { useContacts } from "../../store/contacts"
import { usePeople } from "../../store/people"
import { useSession } from "../../store/session"
import type { MailRow } from "./box"
import { w } from "./words"

type Named = Pick<MailRow["to"], "everybody" | "department_ids" | "person_ids"> & { count?: number }

export function useNaming(): {
  nameOf: (personId: string) => string
  departmentOf: (id: string) => string
  recipients: (to: Named) => string
} {
  const people = usePeople()
  const contacts = useContacts()
  const session = useSession()
  let asked = false

  const nameOf = (personId: string): string => (personId === session.myId ? w("me") : people.nameOf(personId))

  function departmentOf(id: string): string {
    if (!contacts.departments && !asked) {
      asked = true
      void contacts.loadTree().catch(() => undefined)
    }
    return contacts.byId.get(id)?.name ?? ""
  }

  function recipients(to: Named): string {
    const departments = (to.department_ids ?? []).map(departmentOf)
    const persons = (to.person_ids ?? []).map(nameOf)
    const names = [...(to.everybody ? [w("everybody")] : []), ...departments, ...persons].filter(Boolean)
    const n = to.count ?? persons.length
    if (to.everybody || departments.length) return w("to_people", { names: listed(names), n })
    return n > persons.length ? w("to_many", { names: listed(names), n }) : listed(names)
  }

  return { nameOf, departmentOf, recipients }
}
