/* Who is signed in on this page, and what the server told them about itself. */
import { defineStore } from "pinia"
import { computed, ref, shallowRef } from "vue"
import type { Me } from "../wire/shapes"

export type Farewell = "revoked" | "expired" | "signed_out" | "wecom_failed"

export const useSession = defineStore("session", () => {
  const me = shallowRef<Me | null>(null)
  const isSignedIn = ref(false)
  /** The session ended while somebody was at work here: ask for it again without leaving. */
  const needsSignIn = ref(false)
  const farewell = ref<Farewell | null>(null)
  const myId = computed(() => me.value?.person.person_id ?? "")
  const limits = computed(() => me.value?.server ?? { recall_seconds: 120, text_limit: 5000 })
  return { me, isSignedIn, needsSignIn, farewell, myId, limits }
})
