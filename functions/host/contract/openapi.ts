import type { Operation } from '../operation.ts'
import { addressesOf, type ListedAddress } from './addresses.ts'
import { pathItems } from './paths.ts'
import { ProblemAnswers } from './problem-answers.ts'
import { Schemas, type JsonObject } from './schemas.ts'
import { securitySchemes } from './security.ts'
import { tags } from './tags.ts'

const DESCRIPTION = `Every public route of the bank, written from the declarations of its functions.

Amounts go in as decimal strings or numbers with no more decimals than their currency has, and come out as decimal strings.
Lists are newest first; \`next_cursor\` is the \`cursor\` of the next page, and null on the last.
Refusals are problems (RFC 9457) with a stable \`type\`. Send an \`Idempotency-Key\` with what must happen once, and repeat it when no answer came.`

/** Writes the OpenAPI 3.1 document of all public routes. Nothing in it is written by hand: it follows from
 * what the operations declare. Throws if two declarations contradict each other. */
export function openapiOf(operations: readonly Operation[], version: string): JsonObject {
  const schemas = new Schemas()
  const answers = new ProblemAnswers(schemas)
  const addresses = addressesOf(operations)
  const paths = pathItems(addresses, schemas, answers)
  return {
    openapi: '3.1.0',
    info: {
      title: 'microbank',
      version,
      description: DESCRIPTION,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The front door.' }],
    tags: tagsOf(addresses),
    paths,
    components: {
      schemas: schemas.components,
      responses: answers.components,
      securitySchemes,
    },
  }
}

const tagsOf = (addresses: readonly ListedAddress[]): JsonObject[] =>
  Object.entries(tags)
    .filter(([name]) => addresses.some(({ context }) => context === name))
    .map(([name, description]) => ({ name, description }))
