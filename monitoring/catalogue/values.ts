import type { NamedValues } from './instrument.ts'

const named = (of: string, pattern: RegExp): NamedValues => ({ of, pattern })

const NAME = /^[a-z][a-z0-9_-]{0,62}$/
const EVENT_TYPE = /^[a-z][a-z-]{0,40}[.][a-z][a-z-]{0,40}$/

/** The labels of the catalogue that several instruments share. Values that code names are held by a pattern,
 * because this folder knows no code of the bank. */
export const service = named('Services', NAME)
export const statement = named('prepared statements', NAME)
export const refusal = named('problems', NAME)
export const trigger = named('Triggers', NAME)
export const context = named('contexts with a database', /^[a-z]{2,30}$/)
export const handler = named(
  'routes',
  /^(?:none|[/](?:[a-z0-9._~-]+|[{][a-z_]+[}]|[*])?(?:[/](?:[a-z0-9._~-]+|[{][a-z_]+[}]|[*]))*)$/,
)
export const eventType = named('event types', EVENT_TYPE)
export const currency = named('currencies', /^[A-Z]{3}$/)
export const objectName = named('objects', /^[a-z][a-z0-9.-]{0,252}$/)
export const version = named('releases', /^[0-9][0-9A-Za-z.+-]{0,40}$/)
export const check = named('checks of the ledger', NAME)
export const accountType = named('types of accounts', NAME)
export const transactionType = named('types of transactions', NAME)
/** A status of HTTP, and -1 if no answer came. */
export const code = named('statuses of HTTP', /^(?:-1|[1-5][0-9]{2})$/)

export const method = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const
export const status = ['2xx', '3xx', '4xx', '5xx'] as const
