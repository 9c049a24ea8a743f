import { expect, test } from "vitest"
import { delayBefore, waitAsTold } from "../src/wire/coming_back"

test("the wait grows with the tries, is spread, and stays short", () => {
  expect(delayBefore(0, 0.5)).toBe(1_000)
  expect(delayBefore(1, 0.5)).toBeCloseTo(1_700)
  expect(delayBefore(9, 1)).toBe(4_500)
})

test("a server that goes away says how long to wait, down to not at all", () => {
  expect(waitAsTold(730)).toBe(730)
  expect(waitAsTold(0)).toBe(0)
  expect(waitAsTold(1e9)).toBe(60_000)
})

test("what makes no sense is not obeyed", () => {
  for (const told of [undefined, null, "soon", -1, NaN]) expect(waitAsTold(told)).toBeUndefined()
})
