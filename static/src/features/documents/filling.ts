/* What I fill in on a document before I say yes: values and rows that differ from what the OA holds. It is
   kept on this device as it is typed, since a phone may take the page away at any moment. */
import { computed, ref, watch, type Ref } from "vue"
import { changesTo, keepFilled, recallFilled, type KeptFilled } from "./filled"
import { isFillable, isNeededElsewhere, problemsIn, problemsInRows, type RowErrors, type Rows, type Values } from "./form"
import type { Opened, Table } from "./shapes"

export function useFilling(opened: Ref<Opened | null>) {
  const values = ref<Values>({})
  const rows = ref<(Rows | null)[]>([])
  const errors = ref<Record<string, string>>({})
  const rowErrors = ref<RowErrors[]>([])

  const mayAct = computed(() => !!opened.value?.actions.some(({ action }) => action !== "forward"))
  const fields = computed(() => opened.value?.fields ?? [])
  const tables = computed(() => opened.value?.tables ?? [])
  const mine = computed(() => (mayAct.value ? fields.value.filter(isFillable) : []))
  const others = computed(() => fields.value.filter((field) => !mine.value.includes(field)))
  const hasTables = computed(() => tables.value.some(isMine))
  const isElsewhere = computed(() => mayAct.value && fields.value.some(isNeededElsewhere))
  const problems = computed(() => Object.keys(errors.value).length + rowErrors.value.flat().reduce((n, row) => n + Object.keys(row).length, 0))

  function isMine({ columns }: Table): boolean {
    return mayAct.value && columns.some(isFillable)
  }

  function put(place: number, changed: Rows | null): void {
    rows.value = tables.value.map((_, at) => (at === place ? changed : (rows.value[at] ?? null)))
  }

  /** Whether everything that must be filled in is, and rightly. */
  function check(): boolean {
    errors.value = problemsIn(mine.value, values.value)
    rowErrors.value = hasTables.value ? problemsInRows(tables.value, rows.value).map((faults, at) => (isMine(tables.value[at] as Table) ? faults : [])) : []
    return !problems.value
  }

  /** What goes out with a yes: changed fields, and whole tables that changed. */
  function changes(): { fields: Values; rows: (Rows | null)[] } {
    const { fields, tables }: Omit<KeptFilled, "node"> = opened.value ? changesTo(opened.value, { values: values.value, rows: rows.value }) : { fields: {}, tables: [] }
    const changed = mine.value.flatMap(({ name }) => (fields[name] ? [[name, fields[name].is]] : []))
    const tablesNow = tables.map((change) => change?.is ?? null)
    return { fields: Object.fromEntries(changed) as Values, rows: tablesNow.some(Boolean) ? tablesNow : [] }
  }

  let isRecalled = false

  /** What I had filled in when the page went last, once the OA has told what it holds now. */
  async function recall(): Promise<void> {
    if (!opened.value || isRecalled) return
    isRecalled = true
    const before = await recallFilled(opened.value)
    values.value = { ...before.values, ...values.value }
    rows.value = tables.value.map((_, at) => rows.value[at] ?? before.rows[at] ?? null)
  }

  watch([values, rows], () => {
    if (opened.value && isRecalled) void keepFilled(opened.value, { values: values.value, rows: rows.value })
  })

  /* A fault that was mended is no longer told. */
  watch([values, rows], () => problems.value && check())
  /* At another step other fields are mine. */
  watch(
    () => opened.value?.node,
    (_, before) => {
      if (before === undefined) return
      values.value = {}
      rows.value = []
      errors.value = {}
      rowErrors.value = []
    },
  )

  return { values, rows, errors, rowErrors, mine, others, isMine, put, isElsewhere, isFillable: computed(() => mine.value.length > 0), problems, check, changes, recall }
}
