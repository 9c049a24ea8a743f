/* Things that lie over every screen for a moment: a menu, a question, a short word. */
import { shallowRef } from "vue"
import type { IconName } from "../parts/icons"

export interface Choice {
  label: string
  icon?: IconName
  danger?: boolean
  run: () => void
}
export interface Menu {
  x: number
  y: number
  choices: Choice[]
}
export interface Question {
  title: string
  text?: string
  yes: string
  danger?: boolean
  answer: (yes: boolean) => void
}

export const menu = shallowRef<Menu | null>(null)
export const question = shallowRef<Question | null>(null)
export const word = shallowRef<{ text: string; isBad: boolean } | null>(null)

export function openMenu(at: { x: number; y: number }, choices: Choice[]): void {
  if (choices.length) menu.value = { ...at, choices }
}

export function ask(what: Omit<Question, "answer">): Promise<boolean> {
  return new Promise((resolve) => {
    question.value = {
      ...what,
      answer: (yes) => {
        question.value = null
        resolve(yes)
      },
    }
  })
}

/** How to put away what lies on top, oldest first. The back gesture takes the last. */
const closers: (() => void)[] = []

export function onBack(close: () => void): () => void {
  closers.push(close)
  return () => void closers.splice(closers.indexOf(close), 1)
}

/** Puts away what lies on top of the screen; whether anything did. */
export function putAway(): boolean {
  if (menu.value) menu.value = null
  else if (question.value) question.value.answer(false)
  else if (closers.length) closers[closers.length - 1]?.()
  else return false
  return true
}

const SHOWN_MS = 2_600
let timer: ReturnType<typeof setTimeout> | undefined

export function say(text: string, isBad = false): void {
  word.value = { text, isBad }
  clearTimeout(timer)
  timer = setTimeout(() => (word.value = null), SHOWN_MS)
}
