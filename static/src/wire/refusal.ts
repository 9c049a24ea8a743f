/* The one error a command ends with: a code of the server, or one of two of our own. */

export const OWN_CODES = ["offline", "timeout"] as const

export class Refusal extends Error {
  constructor(
    readonly code: string,
    message = "",
    readonly retryAfterMs?: number,
  ) {
    super(message || code)
    this.name = "Refusal"
  }

  /** Worth asking again with the very same fields: nothing was decided about them. */
  get isPassing(): boolean {
    return ["offline", "timeout", "busy", "unavailable", "rate_limited"].includes(this.code)
  }
}

export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal("internal", String(error))
}

interface Answer {
  ok?: boolean
  result?: unknown
  error?: { code?: string; message?: string; retry_after_ms?: number | null }
}

/** The result of an answer, socket or HTTP; a refusal is thrown. */
export function resultOf(answer: unknown): unknown {
  const { ok, result, error } = (answer ?? {}) as Answer
  if (ok) return result
  throw new Refusal(error?.code ?? "internal", error?.message, error?.retry_after_ms ?? undefined)
}
