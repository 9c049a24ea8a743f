import { describe, expect, it } from "vitest"
import { fullTime, listTime, needsTime } from "../src/i18n/times"

const now = new Date(2026, 10, 25, 15, 30).getTime()
const at = (...parts: [number, number, number, number, number]): number => new Date(...parts).getTime()

describe("times in the list", () => {
  it.each([
    [at(2026, 10, 25, 15, 30), "刚刚", "now"],
    [at(2026, 10, 25, 9, 5), "09:05", "09:05"],
    [at(2026, 10, 24, 23, 59), "昨天", "Yesterday"],
    [at(2026, 10, 22, 8, 0), "周日", "Sun"],
    [at(2026, 8, 3, 8, 0), "09-03", "09-03"],
    [at(2025, 11, 31, 8, 0), "2025-12-31", "2025-12-31"],
  ])("%i", (moment, zh, en) => {
    expect(listTime(moment, now, "zh")).toBe(zh)
    expect(listTime(moment, now, "en")).toBe(en)
  })

  it("calls a message from a clock ahead of ours today's, not yesterday's", () => {
    expect(listTime(now + 600_000, now, "zh")).toBe("15:40")
  })
})

describe("times between messages", () => {
  it("say day and hour", () => {
    expect(fullTime(at(2026, 10, 24, 8, 1), now, "zh")).toBe("昨天 08:01")
    expect(fullTime(at(2026, 10, 25, 8, 1), now, "zh")).toBe("08:01")
  })

  it("stand where more than five minutes passed", () => {
    expect(needsTime(undefined, now)).toBe(true)
    expect(needsTime(now - 300_000, now)).toBe(false)
    expect(needsTime(now - 300_001, now)).toBe(true)
  })
})
