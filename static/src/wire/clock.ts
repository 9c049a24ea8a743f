/* The server's clock as seen from here. A phone may be ten minutes wrong; what a person reads
   as a time, and how long they may still recall, is judged by the server's. */

const BELIEVABLE_ERROR_MS = 2_000
let offsetMs = 0

export function noteServerTime(date: string | number | null): void {
  if (date === null) return
  const server = typeof date === "number" ? date : Date.parse(date)
  if (!Number.isFinite(server)) return
  const measured = server - Date.now()
  offsetMs = Math.abs(measured) > BELIEVABLE_ERROR_MS ? measured : 0
}

export function serverNow(): number {
  return Date.now() + offsetMs
}
