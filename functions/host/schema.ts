import { UNSEEN } from './values/unseen.ts'

/** A JSON Schema (2020-12) as a plain object. Written `as const`, so that the compiler knows its type. */
export type Schema = object

/** The type of the values that a schema accepts. It covers the keywords that this bank uses: packages that
 * cover all of JSON Schema take the compiler half a minute. */
export type Infer<S> = S extends { const: infer Value }
  ? Value
  : S extends { enum: readonly (infer Value)[] }
    ? Value
    : S extends { anyOf: readonly (infer Choice)[] }
      ? Infer<Choice>
      : S extends { type: infer Type }
        ? OfType<Type, S>
        : unknown

type OfType<Type, S> = Type extends readonly (infer One)[]
  ? OfType<One, S>
  : Type extends 'string'
    ? string
    : Type extends 'integer' | 'number'
      ? number
      : Type extends 'boolean'
        ? boolean
        : Type extends 'null'
          ? null
          : Type extends 'array'
            ? S extends { items: infer Item }
              ? Infer<Item>[]
              : unknown[]
            : Type extends 'object'
              ? OfObject<S>
              : unknown

type OfObject<S> = S extends { properties: infer Properties }
  ? {
      -readonly [
        Name in keyof Properties as IsPresent<S, Properties, Name> extends true ? Name : never
      ]: Infer<Properties[Name]>
    } & {
      -readonly [
        Name in keyof Properties as IsPresent<S, Properties, Name> extends true ? never : Name
      ]?: Infer<Properties[Name]>
    }
  : Record<string, unknown>

/** A property is always present if it is required, or has a default, which validation fills in. */
type IsPresent<S, Properties, Name extends keyof Properties> = Properties[Name] extends { default: unknown }
  ? true
  : S extends { required: readonly (infer Required)[] }
    ? Name extends Required
      ? true
      : false
    : false

/** Schema of an id. */
export const uuidSchema = { type: 'string', format: 'uuid' } as const

/** Pattern of a text that Postgres can store, and a program can be given. */
export const NO_CONTROLS = '^[^\\p{Cc}\\p{Cs}]*$'

/** Pattern of a text for people. */
export const TEXT = `^[^${UNSEEN}]*$`

/** Pattern of such a text that is not blank. */
export const WORDS = `^(?=.*\\S)[^${UNSEEN}]*$`

/** Schema of what a caller writes about something. */
export const shortText = { type: 'string', maxLength: 500, pattern: TEXT } as const

/** Schema of why somebody did something. It is not blank. */
export const reasonText = {
  type: 'string',
  minLength: 1,
  maxLength: 500,
  pattern: WORDS,
} as const

/** Schema of what a customer writes to a payee. It is not for the audit. */
export const personalText = { ...shortText, 'x-personal': true } as const

/** Schema of the parameters of a path with `{id}`. */
export const idParams = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: uuidSchema },
} as const

/** Returns the schema of what may also be null. */
export const orNull = <const S extends Schema>(schema: S) => ({ anyOf: [schema, { type: 'null' }] }) as const
