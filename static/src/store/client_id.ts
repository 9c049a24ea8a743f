/* Ids made on this page. crypto.randomUUID is missing on plain HTTP, which a ward may well use. */

export function newClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
