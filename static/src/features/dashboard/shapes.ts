/* Names for the shapes of live figures, all of them derived from the generated protocol. */
import type { Arrived, Fields, Result } from "../../wire/shapes"

export type Scopes = Result<"dashboard.scopes">
export type Scope = Scopes["channels"][number]
export type RegistrationType = Scopes["types"][number]

export type Updated = Arrived<"dashboard.updated">
export type Values = Updated["values"]
export type Figures = Extract<Values[string], { kind: "figures" }>
export type Source = Extract<Values[string], { kind: "source" }>
export type Counts = Figures["registered"]

export type RangeFields = Fields<"dashboard.range">
export type RangeFigures = Result<"dashboard.range">
export type DepartmentSums = RangeFigures["departments"][number]
