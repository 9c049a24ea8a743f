/* Digits that change more often than once a second cannot be read. What comes faster waits, and only
   the newest is shown. */

export interface Paced<T> {
  tell: (value: T) => void
  /** Show this at once, whatever waits. */
  show: (value: T) => void
  stop: () => void
}

export function paced<T>(show: (value: T) => void, everyMs: number): Paced<T> {
  let shownAt = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined
  let waiting: T

  function now(value: T): void {
    stop()
    shownAt = performance.now()
    show(value)
  }
  function tell(value: T): void {
    waiting = value
    const wait = shownAt + everyMs - performance.now()
    if (wait <= 0) now(value)
    else timer ??= setTimeout(() => now(waiting), wait)
  }
  function stop(): void {
    clearTimeout(timer)
    timer = undefined
  }
  return { tell, show: now, stop }
}
