import { describe, expect, it } from "vitest"
import { causeOf, clockOf, dayMoment, endsWhen, kindWord, minuteOf, moment, NIGHT, reasonOf, toggled, withPeriod, withRoad, type Item, type Preferences } from "../src/features/notices/rules"

const PREFERENCES: Preferences = {
  quiet: [NIGHT],
  roads: [
    { kind: "chat", road: "wecom" },
    { kind: "mail", road: "digest" },
  ],
  digest_hours: [8, 17],
  mentions: false,
  never_silent: ["urgent"],
  timezone: "Asia/Shanghai",
}

function reason(state: Item["state"], why: Item["why"] = "", refusal = ""): string {
  return reasonOf({ state, why, refusal })
}

describe("why a notice did or did not come", () => {
  it("is said for everything that waits", () => {
    expect(reason("queued")).toBe("why.queued")
    expect(reason("queued", "quiet")).toBe("why.queued.quiet")
    expect(reason("queued", "digest")).toBe("why.queued.digest")
    expect(reason("queued", "limit")).toBe("why.queued.limit")
    expect(reason("queued", "merge")).toBe("why.queued.merge")
    expect(reason("sending", "digest")).toBe("why.sending")
  })

  it("is said for everything that has ended", () => {
    expect(reason("sent")).toBe("why.sent")
    expect(reason("sent", "merged")).toBe("why.sent.digest")
    expect(reason("settled", "muted")).toBe("why.settled.muted")
    expect(reason("settled", "app")).toBe("why.settled.app")
    expect(reason("settled")).toBe("why.settled")
    expect(reason("refused", "", "unreachable")).toBe("why.refused.unreachable")
    expect(reason("refused", "merged", "unlicensed")).toBe("why.refused.unlicensed")
    expect(reason("dead", "", "other")).toBe("why.dead")
  })

  it("has words for what a newer server says", () => {
    expect(reasonOf({ state: "settled", why: "theatre" as Item["why"], refusal: "" })).toBe("why.settled")
    expect(reason("refused", "", "moon")).toBe("why.refused.other")
    expect(kindWord("clinical")).toBe("kind.other")
  })
})

describe("a step of the connection test", () => {
  it("names its cause", () => {
    const found = (step: string, is: "good" | "bad" | "unknown", code = 0) => causeOf({ step, found: is, code, detail: "" })
    expect(found("address", "bad", 60020)).toBe("cause.60020")
    expect(found("secret", "bad", 40001)).toBe("cause.40001")
    expect(found("secret", "bad", 0)).toBe("cause.other")
    expect(found("address", "good")).toBeNull()
    expect(found("settings", "bad")).toBe("cause.settings")
    expect(found("callback", "unknown")).toBe("cause.callback.unknown")
    expect(found("scope", "unknown")).toBe("cause.scope.unknown")
  })
})

describe("hours", () => {
  it("are read and written", () => {
    expect(clockOf(7 * 60 + 5)).toBe("07:05")
    expect(minuteOf("07:05")).toBe(425)
    expect(minuteOf("24:00")).toBeNull()
    expect(minuteOf("")).toBeNull()
  })

  it("may end the next day or a whole day later", () => {
    expect(endsWhen({ begins: 60, ends: 120 })).toBe("same")
    expect(endsWhen(NIGHT)).toBe("next_day")
    expect(endsWhen({ begins: 0, ends: 0 })).toBe("whole_day")
  })
})

describe("a choice", () => {
  it("changes one thing and leaves the rest", () => {
    expect(withRoad(PREFERENCES, "chat", "app").roads).toEqual([
      { kind: "chat", road: "app" },
      { kind: "mail", road: "digest" },
    ])
    expect(withPeriod(PREFERENCES, 0, { begins: 0 }).quiet[0]).toEqual({ ...NIGHT, begins: 0 })
  })

  it("keeps the last one where there has to be one", () => {
    expect(toggled([1, 3], 2)).toEqual([1, 2, 3])
    expect(toggled([1, 3], 3, 1)).toEqual([1])
    expect(toggled([1], 1, 1)).toEqual([1])
    expect(toggled([1], 1)).toEqual([])
  })
})

describe("a day in a filter", () => {
  it("is its beginning, or its end", () => {
    expect(dayMoment("")).toBe(0)
    expect(dayMoment("2026-01-05", true) - dayMoment("2026-01-05")).toBe(86_400_000)
  })
})

describe("a moment that may lie ahead", () => {
  const now = new Date(2026, 0, 5, 16, 0).getTime()
  const at = (day: number, hour: number): number => new Date(2026, 0, day, hour, 0).getTime()

  it("names the day unless it is today", () => {
    expect(moment(at(5, 22), now, "zh")).toBe("22:00")
    expect(moment(at(6, 7), now, "zh")).toBe("明天 07:00")
    expect(moment(at(6, 7), now, "en")).toBe("tomorrow 07:00")
    expect(moment(at(8, 7), now, "zh")).toBe("1-8 07:00")
    expect(moment(at(4, 7), now, "zh")).toBe("昨天 07:00")
  })
})
