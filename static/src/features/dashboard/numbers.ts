/* Numbers as they are read: grouped, with a true minus, a sign where a change is meant. */

const grouped = new Intl.NumberFormat("en-US")

export function spoken(n: number | null): string {
  return n === null ? "–" : grouped.format(n).replace("-", "−")
}

export function signed(n: number): string {
  return n > 0 ? `+${spoken(n)}` : n === 0 ? "±0" : spoken(n)
}
