import type { SendOutcome } from './outgoing.ts'

export interface ProviderRequest {
  url: string
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer>
  timeoutMs: number
}

/** What a provider answered. `status` is 0 if no answer came in time. */
export interface ProviderAnswer {
  status: number
  attempt: SendOutcome
}

/** What the database keeps of an answer is far shorter. */
const ANSWER_BYTES_MAX = 2_000

/** Posts a message to a provider. Follows no redirect, because the body is for this host only. */
export async function postToProvider({
  url,
  headers,
  body,
  timeoutMs,
}: ProviderRequest): Promise<ProviderAnswer> {
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' })
    const answer = `${response.status} ${await beginningOf(response)}`.trim()
    return { status: response.status, attempt: attemptOf(response, answer) }
  } catch (error) {
    const { cause, message } = error as Error
    const answer = cause instanceof Error ? `${message}: ${cause.message}` : message
    return { status: 0, attempt: { outcome: 'later', answer } }
  }
}

/** What a later attempt may mend: an overload, a defect, and credentials or a URL that an operator must
 * correct. */
const LATER = new Set([401, 403, 404, 408, 425, 429])

function attemptOf({ status, headers }: Response, answer: string): SendOutcome {
  if (status >= 200 && status < 300) return { outcome: 'sent', answer }
  if (status < 500 && !LATER.has(status)) return { outcome: 'failed', answer }
  const waitSeconds = retryAfter(headers.get('retry-after'))
  return { outcome: 'later', answer, ...(waitSeconds > 0 && { waitSeconds }) }
}

/** Returns the seconds that a Retry-After header asks for, as a number or as a date (RFC 9110, 10.2.3). */
function retryAfter(header: string | null): number {
  if (header === null) return 0
  if (/^\d{1,9}$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000))
}

/** Returns the first characters of an answer, however long it is, or as much of it as came in time. The
 * status has said already whether the message was taken: if a body that does not end counted as no answer,
 * the message would be sent again and again. */
async function beginningOf(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const part of response.body ?? []) {
      text += decoder.decode(part as Uint8Array, { stream: true })
      if (text.length > ANSWER_BYTES_MAX) break
    }
  } catch {
    text += ' ...'
  }
  return text.slice(0, ANSWER_BYTES_MAX)
}
