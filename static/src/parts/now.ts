/* The present, renewed twice a minute, so that 刚刚 does not stay 刚刚. */
import { ref } from "vue"
import { serverNow } from "../wire/clock"

export const now = ref(serverNow())
setInterval(() => (now.value = serverNow()), 30_000)
