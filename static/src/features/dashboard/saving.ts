/* A text as a file in the person's hands: handed to the phone's own sharing where it takes files,
   because webviews of phones do not keep downloads; as a download everywhere else. */
import { hasMouse } from "../../shell/layout"

export async function saveFile(name: string, text: string, type: string): Promise<void> {
  const file = new File([text], name, { type })
  if (!hasMouse.value && navigator.canShare?.({ files: [file] })) {
    await navigator.share({ files: [file] })
    return
  }
  const link = document.createElement("a")
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
