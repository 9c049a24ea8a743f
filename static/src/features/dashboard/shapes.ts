/* The shapes of live figures; until the protocol is generated, written by hand. */
export type Counts = Record<string, number>

export interface Figures {
  kind: "figures"
  department_id: string
  day: string
  registered: Counts
  seen: Counts
  called: Counts
  operations: number
  inpatients: number | null
}
export interface Source {
  kind: "source"
  as_of: number | null
  stale: boolean
  period_ms: number
}
export interface Scope {
  channel: string
  name: string
  department_id: string | null
}
export interface Scopes {
  channels: Scope[]
  types: string[]
  zone: string
  today: string
}
export interface DepartmentSums {
  department_id: string
  name: string
  registered: Counts
  seen: Counts
  called: Counts
  operations: number
  inpatients: number | null
}
export interface DaySums {
  day: string
  registered: number
  seen: number
  called: number
  operations: number
  inpatients: number | null
}
export interface Hours {
  registered: number[]
  seen: number[]
  called: number[]
  operations: number[]
  inpatients: (number | null)[]
}
export interface RangeFigures {
  from_day: string
  to_day: string
  days: DaySums[]
  departments: DepartmentSums[]
  hours: Hours
  as_of: number
}
export interface Updated {
  values: Record<string, Figures | Source>
  as_of: number
}
export interface RangeFields {
  from_day: string
  to_day: string
  department_id?: string
  type?: "general" | "expert" | "special" | "emergency" | "online"
}
