/* What has to be forgotten when somebody signs out, told by the stores that come after the first screen
   when they are made. */
const listeners: (() => void)[] = []

/** To be called once by a store that holds anything of the person's. */
export function onForget(listener: () => void): void {
  listeners.push(listener)
}

export function forgetTheRest(): void {
  listeners.forEach((listener) => listener())
}
