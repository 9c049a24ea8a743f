/* What has to be forgotten when somebody signs out, told by the stores of features when they are made. */
const listeners: (() => void)[] = []

/** To be called once by a store that holds anything of the person's. */
export function onForget(listener: () => void): void {
  listeners.push(listener)
}

export function forgetFeatures(): void {
  listeners.forEach((listener) => listener())
}
