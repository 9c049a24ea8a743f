/* Where each row of a virtual list lies: measured heights where known, estimates elsewhere.
   Offsets are summed lazily from the first row that changed. Knows nothing of the page. */

export class RowHeights {
  private keys: string[] = []
  private indexes = new Map<string, number>()
  private measured = new Map<string, number>()
  private tops: number[] = [0]
  private sound = 0

  constructor(private readonly estimate: () => number) {}

  get count(): number {
    return this.keys.length
  }

  setKeys(keys: string[]): void {
    this.keys = keys
    this.indexes = new Map(keys.map((key, index) => [key, index]))
    this.tops = new Array<number>(keys.length + 1)
    this.tops[0] = 0
    this.sound = 0
  }

  keyAt(index: number): string | undefined {
    return this.keys[index]
  }

  indexOf(key: string): number {
    return this.indexes.get(key) ?? -1
  }

  /** True when the height was news. */
  measure(key: string, height: number): boolean {
    if (this.measured.get(key) === height) return false
    this.measured.set(key, height)
    const index = this.indexOf(key)
    if (index >= 0) this.sound = Math.min(this.sound, index)
    return true
  }

  /** After a change of font or width no measure holds any more. */
  forget(): void {
    this.measured.clear()
    this.sound = 0
  }

  top(index: number): number {
    const wanted = Math.min(Math.max(index, 0), this.keys.length)
    const estimate = this.estimate()
    for (let at = this.sound; at < wanted; at++) {
      const height = this.measured.get(this.keys[at] as string) ?? estimate
      this.tops[at + 1] = (this.tops[at] as number) + height
    }
    this.sound = Math.max(this.sound, wanted)
    return this.tops[wanted] as number
  }

  get total(): number {
    return this.top(this.keys.length)
  }

  /** The row that covers this offset, the last one when it lies beyond. */
  at(offset: number): number {
    let low = 0
    let high = this.keys.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.top(middle) <= offset) low = middle
      else high = middle - 1
    }
    return Math.max(low, 0)
  }
}
