import { maySucceedLater, orAborted, pause, pauseAfter, startTimer } from './pauses.ts'
import { BankProblem, NoAnswerError, type CallRecord, type FailureRecord } from './problem.ts'
import type { TokenSource } from './session.ts'
import { watchBody } from './watched-body.ts'

/** One logical call, ready to be sent as often as needed. */
export interface PreparedCall {
  method: string
  url: string
  headers: Record<string, string>
  body?: NonNullable<RequestInit['body']> | undefined
  idempotencyKey?: string | undefined
  /** Without it the call goes without a token. */
  tokens?: TokenSource | undefined
  signal?: AbortSignal | undefined
  /** Time for one attempt, with its answer. */
  timeoutMs: number
  /** Time for all attempts. */
  totalMs: number
  attemptsMax: number
  /** 'json' reads the answer; 'nothing' leaves the body of a success to the caller, and then `timeoutMs` ends
   * with its head. */
  reads: 'json' | 'nothing'
  /** Whether a second arrival does no harm. */
  isRepeatable: boolean
  fetch: typeof fetch
}

/** A success. */
export interface GivenAnswer extends CallRecord {
  response: Response
  /** Undefined if the answer is empty, or was not read. */
  body: unknown
}

type Tried = { response: Response; body: unknown } | { failure: unknown }

/** Sends a call until it has an answer that stays. Rejects with a BankProblem, with a NoAnswerError, with
 * what the token source rejects with, or with the signal's reason. */
export async function send(call: PreparedCall): Promise<GivenAnswer> {
  const record: FailureRecord = {
    ...{ attempts: 0, idempotencyKey: call.idempotencyKey, isOutcomeUnknown: false },
  }
  const timeIsUp = new Error(`it took longer than ${call.totalMs} ms`)
  const limit = startLimit(call.totalMs, timeIsUp, call.signal)
  try {
    const answer = await sendUntilAnswered(call, limit.signal, record)
    limit.stop({ staysAbortable: call.reads === 'nothing' })
    if (call.reads === 'json') return answer
    // A signal that outlives many calls would otherwise gather a listener from each.
    return { ...answer, response: watchBody(answer.response, limit.stop) }
  } catch (error) {
    limit.stop()
    throw error === timeIsUp ? new NoAnswerError(addressOf(call), timeIsUp, record) : error
  }
}

async function sendUntilAnswered(
  call: PreparedCall,
  signal: AbortSignal,
  record: FailureRecord,
): Promise<GivenAnswer> {
  const endsAt = performance.now() + call.totalMs
  for (let hadNewToken = false, userChanges: number | undefined; ;) {
    const token = call.tokens && (await fromSource(call.tokens.token(), call, signal, record))
    if (record.attempts === 0) userChanges = call.tokens?.userChanges
    else if (userChanges !== call.tokens?.userChanges)
      throw new NoAnswerError(addressOf(call), new Error('somebody has logged in or out meanwhile'), record)
    record.attempts++
    const attempt = await tryOnce(call, token, signal)
    if ('response' in attempt && attempt.response.ok) return { ...attempt, ...record }

    const failure = toFailure(call, attempt, record)
    record.isOutcomeUnknown = failure.isOutcomeUnknown
    if (!hadNewToken && token && call.tokens && isTokenRefused(failure)) {
      hadNewToken = true
      await fromSource(call.tokens.replace(token), call, signal, record)
      continue
    }
    const seen = failure instanceof BankProblem ? failure : {}
    const pauseMs = pauseAfter(record.attempts, seen)
    const isTooLate = performance.now() + pauseMs >= endsAt || record.attempts >= call.attemptsMax
    if (!call.isRepeatable || isTooLate || !maySucceedLater(seen)) throw failure
    await pause(pauseMs, signal)
  }
}

/** Waits for the token source. If it fails when an earlier attempt may have taken effect, the error tells. */
async function fromSource<T>(
  asked: Promise<T>,
  call: PreparedCall,
  signal: AbortSignal,
  record: FailureRecord,
): Promise<T> {
  try {
    return await orAborted(asked, signal)
  } catch (error) {
    if (signal.aborted || !record.isOutcomeUnknown) throw error
    throw new NoAnswerError(addressOf(call), error, record)
  }
}

async function tryOnce(call: PreparedCall, token: string | undefined, signal: AbortSignal): Promise<Tried> {
  const timeIsUp = new Error(`it took longer than ${call.timeoutMs} ms`)
  const limit = startLimit(call.timeoutMs, timeIsUp, signal)
  try {
    // Browsers refuse fetch() as a method of anything else.
    const { fetch } = call
    const response = await fetch(call.url, {
      method: call.method,
      headers: { ...call.headers, ...(token && { authorization: `Bearer ${token}` }) },
      ...(call.body !== undefined && { body: call.body }),
      // Followed, a POST could become a GET, whose answer says nothing of the POST.
      redirect: 'manual',
      signal: limit.signal,
    })
    const staysOpen = call.reads === 'nothing' && response.ok
    const body = staysOpen ? undefined : await readBody(response)
    limit.stop({ staysAbortable: staysOpen })
    return { response, body }
  } catch (error) {
    limit.stop()
    signal.throwIfAborted()
    return { failure: limit.signal.aborted ? timeIsUp : error }
  }
}

/** Starts a signal that aborts after `ms`, or when `outer` does. stop() must be called. */
function startLimit(ms: number, timeIsUp: Error, outer: AbortSignal | undefined) {
  const controller = new AbortController()
  const abort = (): void => controller.abort(outer?.reason)
  if (outer?.aborted) abort()
  outer?.addEventListener('abort', abort)
  const timer = startTimer(() => controller.abort(timeIsUp), ms)
  return {
    signal: controller.signal,
    stop({ staysAbortable = false } = {}): void {
      clearTimeout(timer)
      if (!staysAbortable) outer?.removeEventListener('abort', abort)
    },
  }
}

/** Resolves with parsed JSON. Throws if a success is anything else: it doesn't come from the bank. */
async function readBody(response: Response): Promise<unknown> {
  const text = await response.text()
  if (/[/+]json\b/.test(response.headers.get('content-type') ?? '')) {
    try {
      return JSON.parse(text)
    } catch {
      if (response.ok) throw new Error(`the answer is not the JSON that it says: ${text.slice(0, 100)}`)
      return text
    }
  }
  if (!response.ok) return text
  if (text === '') return undefined
  throw new Error(`expected JSON, got ${response.headers.get('content-type') ?? 'no content type'}`)
}

function toFailure(call: PreparedCall, attempt: Tried, record: FailureRecord): BankProblem | NoAnswerError {
  if ('failure' in attempt) return new NoAnswerError(addressOf(call), attempt.failure, record)
  const { response, body } = attempt
  return new BankProblem(response.status, response.headers, body, record)
}

const addressOf = ({ method, url }: PreparedCall): string => `${method} ${url}`

/** Whether the token was refused, which a wrong password at log-in is not. */
const isTokenRefused = (failure: Error): boolean =>
  failure instanceof BankProblem && failure.status === 401 && ['', 'unauthenticated'].includes(failure.code)
