import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { AddressRules } from './addresses.ts'

// Both are loaded together, when something is posted.
export { rulesFor } from './addresses.ts'

/** What came of one attempt. */
export interface AttemptOutcome {
  isDelivered: boolean
  /** Null if no answer came. */
  httpStatus: number | null
  /** Why it failed, for the owner of the hook; null if it did not. */
  error: string | null
  /** Beginning of the answer's body. */
  answer: string
  durationMs: number
}

export interface WebHookRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  /** Milliseconds from the first look at the name to the head of the answer, and to its body's beginning. */
  timeoutMs: number
}

const ANSWER_BYTES = 500

/** Thrown for an address to which no web hook may go. */
class AddressRefusedError extends Error {}

/** Posts to a web hook once, and never rejects. Any 2xx is success. A redirect is not followed, because it
 * could lead anywhere. Each attempt has a connection of its own, to an address that was checked: the name is
 * resolved once, so it can't mean another address a moment later. */
export async function postWebHook(request: WebHookRequest, rules: AddressRules): Promise<AttemptOutcome> {
  const startedAt = performance.now()
  const outcome = await attempt(request, rules).catch((error: Error) => ({
    ...{ httpStatus: null, answer: '' },
    error: describe(error),
  }))
  return {
    ...outcome,
    isDelivered: outcome.error === null,
    durationMs: Math.round(performance.now() - startedAt),
  }
}

type Answered = Pick<AttemptOutcome, 'httpStatus' | 'error' | 'answer'>

async function attempt(
  { url, headers, body, timeoutMs }: WebHookRequest,
  rules: AddressRules,
): Promise<Answered> {
  const target = new URL(url)
  // The rules may have become stricter since the hook was made.
  const fault = rules.faultOf(target)
  if (fault !== undefined) throw new AddressRefusedError(`the URL ${fault}`)
  const client = target.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const request = client.request(target, {
      method: 'POST',
      agent: false,
      lookup: checkedLookup(rules),
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    })
    let answered: http.IncomingMessage | undefined
    const end = (): void => {
      clearTimeout(timer)
      request.destroy()
    }
    const timer = setTimeout(() => {
      if (answered) answered.destroy()
      else reject(new Error(`no answer within ${timeoutMs} ms`))
      end()
    }, timeoutMs)
    request.on('error', (error) => {
      reject(error)
      end()
    })
    request.on('response', (response) => {
      answered = response
      readBeginning(response, (answer) => {
        resolve(judge(response.statusCode ?? 0, answer))
        end()
      })
    })
    request.end(body)
  })
}

function judge(httpStatus: number, answer: string): Answered {
  if (httpStatus >= 200 && httpStatus < 300) return { httpStatus, answer, error: null }
  const isRedirect = httpStatus >= 300 && httpStatus < 400
  return {
    httpStatus,
    answer,
    error: isRedirect
      ? `it answered ${httpStatus}, and redirects are not followed`
      : `it answered ${httpStatus}`,
  }
}

/** Reads at most some hundred bytes of a body, however large it is, and however it ends. */
function readBeginning(response: http.IncomingMessage, done: (answer: string) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk.subarray(0, ANSWER_BYTES - bytes))
    bytes += chunk.length
    if (bytes >= ANSWER_BYTES) response.destroy()
  })
  response.on('error', () => {})
  response.on('close', () => done(storable(Buffer.concat(chunks))))
}

/** Makes text that Postgres stores: it takes no NUL. */
const storable = (bytes: Buffer): string => bytes.toString('utf8').replaceAll('\0', '\uFFFD')

/** A lookup that refuses a name as a whole if any of its addresses is not allowed. */
const checkedLookup =
  ({ resolve, isAllowed }: AddressRules): LookupFunction =>
  (name, options, callback) => {
    const fail = (error: Error): void => callback(error, '', 0)
    resolve(name).then((addresses) => {
      const [first] = addresses
      if (first === undefined) return fail(new Error('the name has no address'))
      if (!addresses.every(isAllowed)) return fail(new AddressRefusedError('its address is not public'))
      if (options.all)
        callback(
          null,
          addresses.map((address) => ({ address, family: isIP(address) })),
        )
      else callback(null, first, isIP(first))
    }, fail)
  }

/** Says in a few words why no answer came, without internals. */
function describe(error: NodeJS.ErrnoException): string {
  const { code = '', message } = error
  if (error instanceof AddressRefusedError) return message
  if (/^(no answer within|the name has no address)/.test(message)) return message
  if (/^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL|ETIMEOUT)/.test(code)) return 'the name has no address'
  if (code === 'ECONNREFUSED') return 'the connection was refused'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection broke'
  if (/^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) return 'its certificate is not valid'
  if (code.startsWith('HPE_')) return 'it did not answer with HTTP'
  return 'no connection'
}
