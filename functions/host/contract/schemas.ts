import type { Schema } from '../schema.ts'

export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [name: string]: Json
}

/** Keywords of this bank that say how a value is stored, not what it is. */
const INNER = ['x-personal', 'x-secret']

/** Keyword whose keywords only the contract has: what code refuses with a better sentence than a schema's. */
const SHOWN = 'x-contract'

/** Collects the schemas of a document. One with a `title` becomes a component of that name. */
export class Schemas {
  readonly #components = new Map<string, { schema: JsonObject; text: string }>()

  /** Returns the schema as the document shows it: a reference if it has a title. Throws if two schemas that
   * differ have one title. */
  add(schema: Schema): JsonObject {
    return this.#written(JSON.parse(JSON.stringify(schema)) as JsonObject) as JsonObject
  }

  /** Adds a schema under a name, if it has no title, and returns a reference to it. */
  name(name: string, schema: Schema): JsonObject {
    return this.add({ title: name, ...schema })
  }

  /** The components, by name in alphabetical order. */
  get components(): JsonObject {
    const names = [...this.#components.keys()].sort()
    return Object.fromEntries(names.map((name) => [name, this.#components.get(name)!.schema]))
  }

  #refer(name: string, schema: JsonObject): JsonObject {
    const text = JSON.stringify(schema)
    const known = this.#components.get(name)
    if (known && known.text !== text) throw new Error(`two schemas that differ have the title ${name}`)
    this.#components.set(name, { schema, text })
    return { $ref: `#/components/schemas/${name}` }
  }

  #written(value: Json, isSchema = true): Json {
    if (Array.isArray(value)) return value.map((item) => this.#written(item, isSchema))
    if (typeof value !== 'object' || value === null) return value
    const given = isSchema ? withShown(withoutCondition(value)) : value
    const written: JsonObject = {}
    for (const [name, part] of Object.entries(given)) {
      if (isSchema && (INNER.includes(name) || name === 'title')) continue
      if (isSchema && LITERALS.includes(name)) written[name] = part
      else if (isSchema && name === 'pattern') written[name] = portable(part as string)
      else written[name] = this.#written(part, !(isSchema && MAPS.includes(name)))
    }
    return isSchema && typeof value.title === 'string' ? this.#refer(value.title, written) : written
  }
}

/** Keywords whose value is no schema. */
const LITERALS = ['const', 'enum', 'default', 'required', 'examples', 'example', 'x-rules']
/** Keywords whose value holds schemas by name. */
const MAPS = ['properties', '$defs', 'patternProperties', 'dependentSchemas']

/** Classes of characters as ranges: many tools read patterns without Unicode's properties. Halves of a pair
 * of surrogates are no characters, and JSON to be exchanged has none (RFC 7493, 2.1). */
const RANGES = {
  '\\p{Cc}': '\\u0000-\\u001F\\u007F-\\u009F',
  '\\p{Cs}': '',
}

/** Returns a pattern that takes the same text, for engines without look-ahead: they find none that fits. */
function portable(pattern: string): string {
  const ranged = Object.entries(RANGES).reduce((text, [name, range]) => text.replaceAll(name, range), pattern)
  return ranged
    .replace(/^\^\(\?=\.\*\\S\)\[\^(.*)\]\*\$$/, '^[^$1]*[^\\s$1][^$1]*$')
    .replace(/^\^\(\?=\[\^\]\*\\S\)\(\[\^(.*)\]\|\\n\)\*\$$/, '^([^$1]|\\n)*[^\\s$1]([^$1]|\\n)*$')
    .replace(/^\^\(\?!0000\)$/, '^([1-9]|0[1-9]|00[1-9]|000[1-9])')
}

/** Adds the keywords that only the contract has. */
function withShown({ [SHOWN]: shown, ...schema }: JsonObject): JsonObject {
  return { ...schema, ...(shown as JsonObject | undefined) }
}

/** Replaces `if` and `then` by what `then` says, if the schema demands itself what `if` asks. They say how
 * much to report of a wrong value; what is valid is the same without. */
function withoutCondition(schema: JsonObject): JsonObject {
  const { if: condition, then: consequence, ...rest } = schema
  if (!condition || !consequence || rest.else) return schema
  const isDemanded = Object.entries(condition as JsonObject).every(
    ([name, value]) => JSON.stringify(rest[name]) === JSON.stringify(value),
  )
  return isDemanded ? { ...rest, ...(consequence as JsonObject) } : schema
}
