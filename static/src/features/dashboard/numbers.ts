/* Numbers as they are read: grouped, with a true minus, a sign where a change is meant. */

const grouped = new Intl.NumberFormat("en-US")

/** With as many decimals as it has, or exactly so many. */
export function spoken(n: number | null, decimals?: number): string {
  if (n === null) return "–"
  const format = decimals === undefined ? grouped : new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  return format.format(n).replace("-", "−")
}

export function signed(n: number): string {
  return n > 0 ? `+${spoken(n)}` : n === 0 ? "±0" : spoken(n)
}
