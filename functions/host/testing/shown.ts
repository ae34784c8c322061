import dependentSchemas from 'ajv/dist/vocabularies/applicator/dependentSchemas.js'
import { rules } from '../contract/rules.ts'
import { Schemas } from '../contract/schemas.ts'
import { createAjv } from '../http/compile-validators.ts'
import type { FieldError } from '../problems.ts'
import type { Schema } from '../schema.ts'

/** Returns a function that says whether a value fits a schema as the contract shows it. */
export function shown(schema: Schema): (value: unknown) => boolean {
  const schemas = new Schemas()
  const written = schemas.add(schema)
  // Ajv itself knows only an older draft of JSON Schema.
  const validator = createAjv('body', { strictSchema: false })
    .addKeyword(dependentSchemas)
    .compile({
      ...written,
      components: { schemas: schemas.components },
    })
  return (value) => validator(value)
}

/** Says whether the contract names a fault as one that what fits its schema may have. */
export const isRule = (fault: FieldError): boolean =>
  rules.some((rule) =>
    (['path', 'message'] as const).every((name) => new RegExp(`^(?:${rule[name]})$`).test(fault[name])),
  )
