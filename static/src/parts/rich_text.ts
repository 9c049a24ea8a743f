/* Plain text cut into what can be tapped and what cannot. Pure. */

export interface Piece {
  kind: "text" | "link" | "phone"
  text: string
  href?: string
}

/* The last branch swallows longer numbers whole, so that no phone is found in the middle of one. Looking
   back would say it plainer, but a page in which an iPhone before 16.4 finds that does not run at all. */
const TAPPABLE =
  /(https?:\/\/[^\s\u3000-\u303f\u3400-\u9fff\uff00-\uffef<>"]+)|((?:\+?86-?)?1[3-9]\d{9}|0\d{2,3}-\d{7,8}|400-?\d{3}-?\d{4})(?![\d-])|[\d-]+/g

export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  let at = 0
  for (const match of text.matchAll(TAPPABLE)) {
    if (!match[1] && !match[2]) continue
    const whole = (match[0] ?? "").replace(/[.,;:!?)\]}'"]+$/, "")
    if (match.index > at) found.push({ kind: "text", text: text.slice(at, match.index) })
    found.push(
      match[1]
        ? { kind: "link", text: whole, href: whole }
        : { kind: "phone", text: whole, href: `tel:${whole.replace(/-/g, "")}` },
    )
    at = match.index + whole.length
  }
  if (at < text.length) found.push({ kind: "text", text: text.slice(at) })
  return found
}

const LATIN_WIDTH = 0.55

/** How many lines a text will take, with this many full-width characters to a line. */
export function estimatedLines(text: string, perLine: number): number {
  return text.split("\n").reduce((lines, line) => {
    let width = 0
    for (const character of line) width += character.charCodeAt(0) < 0x2e80 ? LATIN_WIDTH : 1
    return lines + Math.max(1, Math.ceil(width / perLine))
  }, 0)
}
