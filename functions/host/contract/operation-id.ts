import type { DescribedRoute } from '../operation.ts'

const VERBS = { GET: 'get', POST: 'create', PUT: 'set', PATCH: 'change', DELETE: 'delete' } as const

/** Returns the name of a route for generated clients: that of its function (`open-account`: openAccount). For
 * what is read, if the function has several routes, or the route several functions: the method and the path
 * (`GET /accounts/{id}/balance`: getAccountBalance). */
export function operationId(functionName: string, route: DescribedRoute, isAlone: boolean): string {
  if (route.operationId) return route.operationId
  const isNamed = isAlone && route.method !== 'GET'
  return isNamed ? camel(functionName.split('-')) : camel([verbOf(route), ...nouns(route)])
}

const verbOf = ({ method, answers }: DescribedRoute): string =>
  method === 'GET' && isPage(answers[200]) ? 'list' : VERBS[method]

const isPage = (answer: unknown): boolean =>
  typeof answer === 'object' && 'next_cursor' in ((answer as { properties?: object }).properties ?? {})

/** The fixed parts of a path as words, in the singular where the path goes on to one of them, or one is
 * made. */
function nouns({ method, path }: DescribedRoute): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.well-known')
  return parts.flatMap((part, i) => {
    if (part.startsWith('{')) return []
    const isLast = i === parts.length - 1
    const isOne = isLast ? method === 'POST' : parts[i + 1]!.startsWith('{')
    return (isOne ? part.replace(/ies$/, 'y').replace(/s$/, '') : part).split('-')
  })
}

const camel = ([first = '', ...rest]: string[]): string => first + rest.map(capital).join('')

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** Returns a name of several words as the name of a type: `open-account` as OpenAccount. */
export const typeName = (name: string): string =>
  name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .split(/[-_. ]/)
    .map(capital)
    .join('')
