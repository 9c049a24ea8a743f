/* What there is besides the first screens. The registrations come in a file of their own after the
   first paint, so that however many features there are, the first screen pays for none of them. */
import { shallowRef } from "vue"
import type { AppFeature } from "./feature"

export const features = shallowRef<AppFeature[]>([])
let fetching: Promise<void> | null = null

/** Fetches them once. Rejects when that cannot be done now; the next call tries again. */
export function fetchFeatures(): Promise<void> {
  fetching ??= import("../features")
    .then(({ FEATURES }) => void (features.value = FEATURES))
    .catch((error: unknown) => {
      fetching = null
      throw error
    })
  return fetching
}
