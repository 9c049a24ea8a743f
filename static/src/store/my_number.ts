/* My own staff number, for the watermark; asked for once per device,
   because looking at a card is recorded. */
import { ref } from "vue"
import { command } from "../wire/connection"
import { keep, read } from "./kept"
import { useSession } from "./session"

export const myNumber = ref("")
let askedFor = ""

export async function loadMyNumber(): Promise<void> {
  const { myId } = useSession()
  if (!myId || askedFor === myId) return
  askedFor = myId
  myNumber.value = (await read<string>("state", "my number")) ?? ""
  if (myNumber.value) return
  try {
    myNumber.value = (await command("contacts.card", { person_id: myId })).person.employee_number
    await keep("state", "my number", myNumber.value)
  } catch {
    askedFor = ""
  }
}
