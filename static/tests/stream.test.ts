import { describe, expect, it } from "vitest"
import type { Arrived, Fields, Result } from "../src/wire/shapes"
import { Stream } from "../src/wire/stream"

const channel = "conversation:c1"
type Answer = Result<"stream.catch_up">

function sent(position: number): Arrived {
  return { conversation_id: "c1", message: { seq: position }, channel, position } as never
}

function missed(...positions: number[]): Answer["channels"][string]["events"] {
  return positions.map((position) => ({ event: "chat.sent", position, data: { ...sent(position) } }))
}

function answer(events: number[], position: number, complete = true): Answer {
  return { epoch: "e", reload: false, channels: { [channel]: { events: missed(...events), position, complete } } }
}

function listening(): { stream: Stream; seen: number[] } {
  const stream = new Stream()
  const seen: number[] = []
  stream.on("chat.sent", (event) => seen.push(event.position as number))
  return { stream, seen }
}

describe("stream", () => {
  it("holds live events until what was missed is applied, then applies each once", async () => {
    const { stream, seen } = listening()
    stream.kept = { epoch: "e", positions: { [channel]: 1 } }
    stream.hold()
    stream.receive("chat.sent", sent(3))
    stream.receive("chat.sent", sent(4))

    await stream.catchUp(() => Promise.resolve(answer([2, 3], 3)))

    expect(seen).toEqual([2, 3, 4])
  })

  it("reads a gap again before it goes on", async () => {
    const { stream, seen } = listening()
    const asked: Fields<"stream.catch_up">[] = []
    const answers = [answer([], 1), answer([2, 3], 3)]
    const ask = (fields: Fields<"stream.catch_up">): Promise<Answer> => {
      asked.push(structuredClone(fields))
      return Promise.resolve(answers.shift() as Answer)
    }
    await stream.catchUp(ask)

    stream.receive("chat.sent", sent(3))
    await stream.catchUp(ask)

    expect(seen).toEqual([2, 3])
    expect(asked[1]).toEqual({ epoch: "e", positions: { [channel]: 1 } })
  })

  it("asks until every channel is complete", async () => {
    const { stream, seen } = listening()
    stream.kept = { epoch: "e", positions: { [channel]: 0 } }
    const answers = [answer([1], 1, false), answer([2, 3], 3)]

    await stream.catchUp(() => Promise.resolve(answers.shift() as Answer))

    expect(seen).toEqual([1, 2, 3])
  })

  it("asks again when an answer had no room for a channel at all", async () => {
    const { stream, seen } = listening()
    stream.kept = { epoch: "e", positions: { [channel]: 0 } }
    const answers = [answer([], 0, false), answer([1, 2], 2)]

    await stream.catchUp(() => Promise.resolve(answers.shift() as Answer))

    expect(seen).toEqual([1, 2])
  })

  it("tells that state must be loaded afresh and applies nothing missed", async () => {
    const { stream, seen } = listening()
    let reloads = 0
    stream.onReload(() => reloads++)

    await stream.catchUp(() => Promise.resolve({ ...answer([1], 5), reload: true }))

    expect(reloads).toBe(1)
    expect(seen).toEqual([])
    expect(stream.kept.positions[channel]).toBe(5)
  })

  it("keeps holding when the server cannot be asked, for the next try", async () => {
    const { stream, seen } = listening()
    stream.hold()
    stream.receive("chat.sent", sent(1))
    await stream.catchUp(() => Promise.reject(new Error("offline"))).catch(() => undefined)
    expect(seen).toEqual([])

    await stream.catchUp(() => Promise.resolve({ epoch: "e", reload: false, channels: {} }))

    expect(seen).toEqual([1])
  })

  it("asks again for a watched channel with a gap, and then takes it from where it stands", () => {
    const { stream, seen } = listening()
    let asked = 0
    stream.again.set(channel, () => {
      asked++
      stream.restart(channel)
    })
    stream.stands(channel, 4)

    stream.receive("chat.sent", sent(7))
    stream.receive("chat.sent", sent(8))
    stream.stands(channel, 8)
    stream.receive("chat.sent", sent(8))
    stream.receive("chat.sent", sent(9))

    expect(asked).toBe(1)
    expect(seen).toEqual([8, 9])
  })
})
