/* What a screen may ask of a virtual list it holds. */
export interface VirtualListHandle {
  scrollToEnd: () => void
  scrollToKey: (key: string, below?: number) => void
  scrollToTop: () => void
}
