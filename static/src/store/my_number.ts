/* My own staff number, for the watermark; asked for once per visit. */
import { ref } from "vue"
import { command } from "../wire/connection"
import { useSession } from "./session"

export const myNumber = ref("")
let askedFor = ""

export async function loadMyNumber(): Promise<void> {
  const { myId } = useSession()
  if (!myId || askedFor === myId) return
  askedFor = myId
  myNumber.value = ""
  try {
    myNumber.value = (await command("contacts.card", { person_id: myId })).person.employee_number
  } catch {
    askedFor = ""
  }
}
