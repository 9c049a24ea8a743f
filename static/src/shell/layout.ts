/* How much room there is: phone, desktop with a list and a content pane, or three panes. */
import { ref, type Ref } from "vue"

function watched(query: string): Ref<boolean> {
  const media = matchMedia(query)
  const matches = ref(media.matches)
  media.addEventListener("change", () => (matches.value = media.matches))
  return matches
}

export const isWide = watched("(min-width: 960px)")
export const hasThirdPane = watched("(min-width: 1280px)")
export const hasMouse = watched("(hover: hover) and (pointer: fine)")
