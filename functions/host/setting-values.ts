// How the text of a setting becomes a value. Each function throws an Error that says what was expected.

/** A setting, as it is declared. */
export interface Setting<Value> {
  about: string
  /** Returns the value. Throws an Error that says what was expected. */
  parse: (text: string) => Value
  fallback?: string
}

export function text(value: string): string {
  return value
}

/** Parses a whole number of a range; `what` names it to whoever wrote another one. */
export function wholeNumber(from: number, to: number, what = 'a number'): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (!Number.isInteger(number) || number < from || number > to)
      throw expected(`${what} from ${from} to ${to}`, value)
    return number
  }
}

/** At most 10^15, the limit for a single amount. */
export function minorUnits(value: string): bigint {
  if (!/^[1-9][0-9]{0,15}$/.test(value) || BigInt(value) > 10n ** 15n)
    throw expected(`a number from 1 to ${10n ** 15n}`, value)
  return BigInt(value)
}

export function oneOf<const Choices extends readonly string[]>(
  ...choices: Choices
): (value: string) => Choices[number] {
  return (value) => {
    if (!choices.includes(value)) throw expected(`one of ${choices.join(', ')}`, value)
    return value
  }
}

/** Reads secrets as Standard Webhooks writes them, separated by blanks: two at most. */
export function webHookSecrets(value: string): readonly string[] {
  const secrets = value.split(/\s+/).filter((each) => each !== '')
  if (secrets.length > 2 || !secrets.every((each) => /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(each)))
    throw new Error('must be one or two secrets that begin with whsec_')
  return secrets
}

export function secret(value: string): string {
  if (value.length < 32) throw new Error('must have at least 32 characters')
  return value
}

function url(value: string, protocols: readonly string[]): string {
  let protocol: string
  try {
    protocol = new URL(value).protocol
  } catch {
    throw new Error('is not a URL')
  }
  // The URL may hold a password, so the message does not repeat it.
  if (!protocols.includes(protocol)) throw new Error(`must begin with ${protocols.join(' or ')}`)
  return value
}

export function postgresUrl(value: string): string {
  return url(value, ['postgres:', 'postgresql:'])
}

export function httpUrl(value: string): string {
  return url(value, ['http:', 'https:'])
}

/** A `fallback` is text that is parsed too, so the empty text stands for undefined. */
export function optionalHttpUrl(value: string): string | undefined {
  return value === '' ? undefined : httpUrl(value)
}

/** The URL of a mail server; the empty text stands for undefined. */
export function smtpUrl(value: string): URL | undefined {
  return value === '' ? undefined : new URL(url(value, ['smtp:', 'smtps:']))
}

/** Parses texts that are separated by commas: any, or some of those given. */
export function list<const Choices extends readonly string[]>(...choices: Choices) {
  type Item = Choices extends readonly [] ? string : Choices[number]
  return (value: string): Item[] => {
    const items = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
    const wrong = choices.length > 0 ? items.find((item) => !choices.includes(item)) : undefined
    if (wrong !== undefined) throw expected(`some of ${choices.join(', ')}`, wrong)
    return items as Item[]
  }
}

/** How many requests in how much time. */
export interface Quota {
  count: number
  seconds: number
}

/** Parses `300/60`: 300 requests in 60 seconds. `off` stands for undefined: no limit. */
export function quota(value: string): Quota | undefined {
  if (value === 'off') return undefined
  const [, count, seconds] = /^([1-9]\d{0,8})\/([1-9]\d{0,4})$/.exec(value) ?? []
  if (!count || !seconds) throw expected('a number of requests/a number of seconds, or off', value)
  return { count: Number(count), seconds: Number(seconds) }
}

/** Parses `<SHA-256 in base64url> <time>`: the hash of a code, and until when it works. Nothing stands for
 * undefined: there is no code. */
export function signInCode(value: string): { hash: Buffer; expiresAtMs: number } | undefined {
  if (value === '') return undefined
  const [, text, time = ''] = /^([\w-]{43}) (\S+)$/.exec(value) ?? []
  const expiresAtMs = Date.parse(time)
  if (!text || Number.isNaN(expiresAtMs)) throw new Error('must be a hash and a time')
  return { hash: Buffer.from(text, 'base64url'), expiresAtMs }
}

/** Parses the origins of pages, separated by commas. Each must be as a browser sends it: scheme and host in
 * lower case, no path, no port that the scheme implies. There is no `*`. */
export function origins(value: string): string[] {
  const all = list()(value)
  for (const each of all) {
    const sent = URL.canParse(each) ? new URL(each).origin : 'null'
    if (sent === each && /^https?:/.test(each)) continue
    throw expected(sent === 'null' ? 'origins such as https://app.example.org' : sent, each)
  }
  return all
}

/** The sender of an email: `name <address>`. */
export function sender(value: string): { name: string; address: string } {
  const [, name, address] = /^\s*([^<>\r\n]*?)\s*<([^<>\s]+@[^<>\s]+)>\s*$/.exec(value) ?? []
  if (name === undefined || address === undefined) throw expected('name <address>', value)
  return { name, address }
}

export function headerList(value: string): Record<string, string> {
  const pairs = value.split(',').filter((pair) => pair.trim() !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      // The value may be a password, so the message does not repeat it.
      if (rest.length === 0 || name.trim() === '')
        throw new Error('must be name=value pairs, separated by commas')
      return [name.trim(), decodeURIComponent(rest.join('=').trim())]
    }),
  )
}

export function fraction(value: string): number {
  const number = Number(value)
  if (!(number >= 0 && number <= 1)) throw expected('a number from 0 to 1', value)
  return number
}

export function hostAndPort(value: string): { host: string; port: number } | undefined {
  if (value === '') return undefined
  const [host, number] = value.split(':')
  if (!host || !number) throw expected('host:port', value)
  return { host, port: wholeNumber(0, 65_535, 'a port number')(number) }
}

export function json(value: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(value)
  if (typeof parsed !== 'object' || parsed === null) throw new Error('must be a JSON object')
  return parsed as Record<string, unknown>
}

export function keySet(value: string): { keys: Record<string, unknown>[] } {
  const { keys } = json(value)
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('must be a JWK Set with at least one key')
  return { keys }
}

export function verifierKeys(value: string): string[] {
  const keys = value.split(/\s+/).filter((key) => key !== '')
  const wrong = keys.find((key) => !/^[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(key))
  if (wrong !== undefined || keys.length === 0) throw expected('name+id+key for each key', wrong ?? value)
  return keys
}

function expected(what: string, value: string): Error {
  return new Error(`must be ${what}, not '${value}'`)
}
