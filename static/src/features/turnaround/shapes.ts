/* Names for the shapes of turn-around times, all of them derived from the generated protocol. */
import type { Fields, Result } from "../../wire/shapes"

export type Mine = Result<"turnaround.mine">
export type Processes = Result<"turnaround.processes">
export type RangeFields = Fields<"turnaround.processes">
export type Row = Processes["processes"][number]
export type Reading = Result<"turnaround.reading">
export type ReadRow = Reading["processes"][number]
export type ReadWeek = Reading["weeks"][number]
export type Week = Processes["weeks"][number]
