export interface BankAnswer {
  status: number
  // The caller knows the contract of the route.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any
}

export interface BankRequest {
  method?: 'GET' | 'POST'
  token?: string
  body?: unknown
  idempotencyKey?: string
}

/** Calls a running bank through its front door. Rejects if no answer came within 60 s. */
export type BankClient = (path: string, request?: BankRequest) => Promise<BankAnswer>

export function connect(url: string): BankClient {
  return async (path, { method, token, body, idempotencyKey } = {}) => {
    const response = await fetch(new URL(path, url), {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    }).catch((error: Error & { cause?: Error }) => {
      throw new Error(`no answer from ${url}: ${error.cause?.message ?? error.message}`)
    })
    return { status: response.status, body: await response.json().catch(() => undefined) }
  }
}

/** Returns the body of a successful answer. Throws if the bank answered with an error. */
export async function must(answer: Promise<BankAnswer>): Promise<BankAnswer['body']> {
  const { status, body } = await answer
  if (status < 300) return body
  throw new Error(`the bank answered ${status}: ${body?.detail ?? body?.title ?? 'nothing'}`)
}
