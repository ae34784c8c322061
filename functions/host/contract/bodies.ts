import { JSON_TYPE } from '../answer-of.ts'
import type { DescribedRoute } from '../operation.ts'
import type { ListedAddress } from './addresses.ts'
import { typeName } from './operation-id.ts'
import type { ObjectSchema } from './object-schema.ts'
import type { JsonObject, Schemas } from './schemas.ts'

/** Writes the body of a request; undefined if it has none. */
export function bodyOf({ routes, operationId }: ListedAddress, schemas: Schemas): JsonObject | undefined {
  const [only, ...others] = routes
  if (others.length > 0) return chosenBody(routes, schemas)
  const { body, multipart } = only!.route
  if (multipart)
    return { required: true, content: { 'multipart/form-data': { schema: schemas.add(multipart) } } }
  if (!body) return undefined
  const { required = [] } = body as ObjectSchema
  return {
    required: required.length > 0,
    content: { [JSON_TYPE]: { schema: schemas.name(`${typeName(operationId)}Request`, body) } },
  }
}

/** Writes a body whose values choose the function. */
function chosenBody(routes: ListedAddress['routes'], schemas: Schemas): JsonObject {
  const choices = routes.map(({ functionName, route }) => ({
    when: route.when!,
    schema: schemas.name(`${typeName(functionName)}Request`, withChoice(route)),
  }))
  const names = new Set(choices.flatMap(({ when }) => Object.keys(when)))
  const [name] = names
  const mapping = choices.map(({ when, schema }) => [when[name!], schema.$ref])
  return {
    required: true,
    content: {
      [JSON_TYPE]: {
        schema: {
          oneOf: choices.map(({ schema }) => schema),
          // A discriminator is one property. Without it, the schemas still exclude each other.
          ...(names.size === 1 && {
            discriminator: { propertyName: name!, mapping: Object.fromEntries(mapping) as JsonObject },
          }),
        },
      },
    },
  }
}

/** A function may be called directly, and then knows which it is. Behind the front door the body has to say
 * it. */
function withChoice({ body = {}, when = {} }: DescribedRoute): object {
  const { required = [], properties = {}, ...rest } = body as ObjectSchema
  const chosen = Object.entries(when).map(([name, value]) => [name, { const: value }])
  return {
    ...rest,
    required: [...new Set([...Object.keys(when), ...required])],
    properties: { ...properties, ...(Object.fromEntries(chosen) as object) },
  }
}
