/* Finding by a part of what is shown, as the server finds: case and width of letters make no difference. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase()
}

export function holds(text: string, part: string): boolean {
  return plain(text).includes(plain(part))
}
