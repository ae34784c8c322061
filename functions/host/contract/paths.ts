import { describe } from '../answer-of.ts'
import type { DescribedRoute } from '../operation.ts'
import { isTagged } from '../tagged.ts'
import type { ListedAddress } from './addresses.ts'
import { bodyOf } from './bodies.ts'
import { hostProblems } from './host-problems.ts'
import { parametersOf } from './parameters.ts'
import type { ProblemAnswers } from './problem-answers.ts'
import type { Json, JsonObject, Schemas } from './schemas.ts'
import { cookieRefusals, securityOf } from './security.ts'

/** Writes the paths of the document. */
export function pathItems(
  addresses: readonly ListedAddress[],
  schemas: Schemas,
  problems: ProblemAnswers,
): JsonObject {
  const paths: Record<string, JsonObject> = {}
  for (const address of addresses)
    (paths[address.path] ??= {})[address.method.toLowerCase()] = operationObject(address, schemas, problems)
  return paths
}

function operationObject(address: ListedAddress, schemas: Schemas, problems: ProblemAnswers): JsonObject {
  const routes = address.routes.map(({ route }) => route)
  const [first] = routes as [DescribedRoute]
  const body = bodyOf(address, schemas)
  const hasTag = tags(address)
  const parameters = parametersOf(routes, schemas, hasTag)
  return {
    operationId: address.operationId,
    tags: [address.context],
    summary: routes.map(({ summary }) => summary).join('; '),
    ...(first.who === 'operator' && { description: 'Only for operators of the bank.' }),
    security: securityOf(address),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: {
      ...successes(routes, schemas, hasTag),
      ...problems.of([
        ...routes.flatMap((route) => [...(route.problems ?? []), ...hostProblems(route, address.isOwn)]),
        ...cookieRefusals(address),
      ]),
    },
  }
}

/** Says whether the answer to an address may have an ETag. */
const tags = ({ routes, isOwn }: ListedAddress): boolean =>
  routes.some(({ route: { method, answers, etag = false } }) =>
    isOwn
      ? etag
      : Object.entries(answers).some(([status, answer]) =>
          Object.keys(describe(answer).content).some((type) => isTagged(method, Number(status), type)),
        ),
  )

const HEADER_OF: Readonly<Record<string, JsonObject>> = {
  Location: { description: 'Where it is.', schema: { type: 'string', format: 'uri-reference' } },
  'Content-Disposition': { description: 'The name of the file (RFC 6266).', schema: { type: 'string' } },
  'Microbank-Seal': {
    description: 'The number of the seal whose checkpoint the statement has, if it has one.',
    schema: { type: 'integer' },
  },
  ETag: { description: 'For If-None-Match.', schema: { type: 'string' } },
  'Idempotency-Replayed': {
    description: 'true if this is the answer of an earlier request with the same Idempotency-Key.',
    schema: { const: 'true' },
  },
  'Preference-Applied': {
    description: 'respond-async if the answer came before the work was done.',
    schema: { const: 'respond-async' },
  },
}

const PHRASES: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Accepted; it will be done.',
  204: 'Done. There is nothing to say.',
  304: 'It is what you have.',
}

/** The answers that are no problems, by status. Routes that share an address may answer the same status with
 * different schemas. */
function successes(routes: readonly DescribedRoute[], schemas: Schemas, hasTag: boolean): JsonObject {
  const declared = routes.flatMap(({ answers }) => Object.keys(answers))
  const statuses = [...new Set([...declared, ...(hasTag ? ['304'] : [])])].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const here = routes.filter(({ answers }) => Number(status) in answers)
      const described = here.map(({ answers }) => describe(answers[Number(status)]))
      const names = new Set<string>(described.flatMap(({ headers = [] }) => headers))
      if (here.some((route) => route.idempotent)) names.add('Idempotency-Replayed')
      if (hasTag) names.add('ETag')
      if (status === '202' && here.some((route) => route.async)) names.add('Preference-Applied')
      const headers = [...names].map((name): [string, Json] => [name, HEADER_OF[name]!])
      const content = contentOf(
        described.map((answer) => answer.content),
        schemas,
      )
      return [
        status,
        {
          description: PHRASES[status] ?? 'Done.',
          ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
          ...(Object.keys(content).length > 0 && { content }),
        },
      ]
    }),
  )
}

function contentOf(
  contents: readonly Readonly<Record<string, object | undefined>>[],
  schemas: Schemas,
): JsonObject {
  const mediaTypes = [...new Set(contents.flatMap((content) => Object.keys(content)))]
  return Object.fromEntries(
    mediaTypes.map((mediaType): [string, JsonObject] => {
      const here = contents.flatMap((content) => content[mediaType] ?? [])
      const written = new Map(here.map((schema) => [JSON.stringify(schema), schemas.add(schema)]))
      const [one, ...others] = [...written.values()]
      // Bytes have no schema (OpenAPI 3.1, 4.8.14.1).
      if (!one) return [mediaType, {}]
      return [mediaType, { schema: others.length > 0 ? { anyOf: [one, ...others] } : one }]
    }),
  )
}
