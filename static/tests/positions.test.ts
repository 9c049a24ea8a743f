import { describe, expect, it } from "vitest"
import { advance, emptyPositions, judge, settle } from "../src/wire/positions"

const log = "conversation:c1"
const state = "person:s0001"

describe("positions", () => {
  it("drops what is not newer and applies what follows", () => {
    const kept = emptyPositions()
    advance(kept, log, 4)

    expect(judge(kept, log, 4)).toBe("drop")
    expect(judge(kept, log, 3)).toBe("drop")
    expect(judge(kept, log, 5)).toBe("apply")
  })

  it("sees a gap in a log but not in a state", () => {
    const kept = emptyPositions()
    advance(kept, log, 4)
    advance(kept, state, 4)

    expect(judge(kept, log, 6)).toBe("gap")
    expect(judge(kept, state, 60)).toBe("apply")
  })

  it("applies what has no position and moves nowhere by it", () => {
    const kept = emptyPositions()
    advance(kept, log, null)

    expect(judge(kept, log, null)).toBe("apply")
    expect(kept.positions).toEqual({})
  })

  it("asks again for a channel that was answered in part", () => {
    const kept = { epoch: "a", positions: { [log]: 1 } }

    const incomplete = settle(kept, {
      epoch: "a",
      reload: false,
      channels: {
        [log]: { position: 2, complete: false },
        [state]: { position: 0, complete: false },
      },
    })

    expect(incomplete).toBe(true)
    expect(kept.positions[log]).toBe(2)
  })

  it("forgets every position when told to reload", () => {
    const kept = { epoch: "a", positions: { [log]: 90, [state]: 3 } }

    settle(kept, {
      epoch: "b",
      reload: true,
      channels: { [log]: { position: 7, complete: true } },
    })

    expect(kept).toEqual({ epoch: "b", positions: { [log]: 7 } })
  })
})
