/* v-press="handler": a long press, a right click or the menu key, whichever the device has. */
import type { Directive } from "vue"

type Handler = (at: { x: number; y: number }) => void
const LONG_MS = 450
const STRAY_PX = 10

interface Pressable extends HTMLElement {
  pressed?: Handler
  unpress?: () => void
}

export const vPress: Directive<Pressable, Handler | undefined> = {
  mounted(el, { value }) {
    el.pressed = value
    let timer: ReturnType<typeof setTimeout> | undefined
    let from = { x: 0, y: 0 }
    let firedAt = 0
    const fire = (at: { x: number; y: number }): void => {
      if (Date.now() - firedAt < 700 || !el.pressed) return
      firedAt = Date.now()
      el.pressed(at)
    }
    const down = (event: TouchEvent): void => {
      const touch = event.touches[0]
      if (!touch || event.touches.length > 1) return clearTimeout(timer)
      from = { x: touch.clientX, y: touch.clientY }
      timer = setTimeout(() => fire(from), LONG_MS)
    }
    const move = (event: TouchEvent): void => {
      const touch = event.touches[0]
      if (touch && Math.hypot(touch.clientX - from.x, touch.clientY - from.y) > STRAY_PX)
        clearTimeout(timer)
    }
    const up = (event: TouchEvent): void => {
      clearTimeout(timer)
      if (Date.now() - firedAt < 700 && event.cancelable) event.preventDefault()
    }
    const context = (event: MouseEvent): void => {
      if (!el.pressed || String(getSelection()).length) return
      event.preventDefault()
      const box = el.getBoundingClientRect()
      const byKey = event.clientX === 0 && event.clientY === 0
      fire(byKey ? { x: box.left + 24, y: box.bottom } : { x: event.clientX, y: event.clientY })
    }
    el.addEventListener("touchstart", down, { passive: true })
    el.addEventListener("touchmove", move, { passive: true })
    el.addEventListener("touchend", up)
    el.addEventListener("touchcancel", up)
    el.addEventListener("contextmenu", context)
    el.unpress = () => clearTimeout(timer)
  },
  updated(el, { value }) {
    el.pressed = value
  },
  beforeUnmount(el) {
    el.unpress?.()
  },
}
