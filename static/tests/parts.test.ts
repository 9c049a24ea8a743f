import { describe, expect, it } from "vitest"
import { RowHeights } from "../src/parts/heights"
import { holds } from "../src/parts/holds"
import { byLetter, fitting, letterOf } from "../src/parts/letters"
import { estimatedLines, pieces } from "../src/parts/rich_text"

describe("row heights", () => {
  it("sum estimates and measures, and find the row at an offset", () => {
    const heights = new RowHeights(() => 50)
    heights.setKeys(["a", "b", "c"])
    heights.measure("b", 100)

    expect([heights.top(1), heights.top(2), heights.total]).toEqual([50, 150, 200])
    expect([heights.at(0), heights.at(149), heights.at(150), heights.at(9_999)]).toEqual([0, 1, 2, 2])
  })

  it("remember a row's measure when rows are put above it", () => {
    const heights = new RowHeights(() => 50)
    heights.setKeys(["b"])
    heights.measure("b", 80)
    heights.setKeys(["a", "b"])

    expect(heights.top(heights.indexOf("b"))).toBe(50)
    expect(heights.total).toBe(130)
  })
})

describe("tappable text", () => {
  it("finds addresses and phones and leaves the rest", () => {
    expect(pieces("见 https://a.cn/x?y=1，打13800138000。")).toEqual([
      { kind: "text", text: "见 " },
      { kind: "link", text: "https://a.cn/x?y=1", href: "https://a.cn/x?y=1" },
      { kind: "text", text: "，打" },
      { kind: "phone", text: "13800138000", href: "tel:13800138000" },
      { kind: "text", text: "。" },
    ])
  })

  it("finds phones with a country, an area, and right after another", () => {
    const found = pieces("+86-13800138000 86-13900139000、010-65500000或400-820-8820").filter((p) => p.href)

    expect(found.map((p) => p.text)).toEqual(["+86-13800138000", "86-13900139000", "010-65500000", "400-820-8820"])
  })

  it("takes no phone out of a longer number and no script for an address", () => {
    expect(pieces("病历号 913800138000123 javascript:alert(1)").map((p) => p.kind)).toEqual(["text"])
    expect(pieces("批号 7-13800138000 与 13800138000-7").map((p) => p.kind)).toEqual(["text"])
  })

  it("estimates lines by width", () => {
    expect(estimatedLines("好".repeat(40), 20)).toBe(2)
    expect(estimatedLines("a\nb\n", 20)).toBe(3)
  })
})

describe("letters", () => {
  it("read surnames as surnames", () => {
    expect(["单文静", "曾伟", "仇英", "查良", "区新", "王芳"].map(letterOf)).toEqual(["S", "Z", "Q", "Z", "O", "W"])
  })

  it("put strange names last and thin out on short screens", () => {
    expect(byLetter([{ name: "1号" }, { name: "Bob" }, { name: "安" }]).map((g) => g.letter)).toEqual(["A", "B", "#"])
    expect(fitting(["A", "B", "C", "D", "E"], 72)).toEqual(["A", "C", "E"])
  })
})

describe("what is filtered here", () => {
  it("is found whatever the case and width of its letters", () => {
    expect(holds("ＣＴ室（１号楼）", "ct室")).toBe(true)
    expect(holds("CT室", "ｃＴ")).toBe(true)
    expect(holds("MRI室", "CT")).toBe(false)
  })
})
