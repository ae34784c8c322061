import type { Context } from '../../contexts.ts'
import type { DescribedRoute, Operation } from '../operation.ts'
import { tags } from './tags.ts'
import { operationId } from './operation-id.ts'

/** A method and path of the front door, and the routes behind it: several if the body chooses. */
export interface ListedAddress {
  operationId: string
  context: Context
  method: DescribedRoute['method']
  /** With the prefix `/api`, if it has one. */
  path: string
  routes: readonly { functionName: string; route: DescribedRoute }[]
  /** True if the front door answers it by itself. */
  isOwn: boolean
}

/** Lists the addresses that the front door serves to everybody, by context and path. Throws if routes at one
 * address differ in who may call them, or two addresses would have one operationId. */
export function addressesOf(operations: readonly Operation[]): ListedAddress[] {
  const found = new Map<
    string,
    ListedAddress & { routes: { functionName: string; route: DescribedRoute }[] }
  >()
  for (const operation of operations) {
    const { name, context, routes = [], ownRoutes = [] } = operation
    const all: [string, DescribedRoute][] = [
      // What only other contexts may call is not public.
      ...routes.filter(({ who }) => who !== 'contexts').map(publicPath),
      ...ownRoutes.map((route): [string, DescribedRoute] => [route.path, route]),
    ]
    for (const [path, route] of all) {
      const key = `${route.method} ${path}`
      const isAlone = all.length === 1 && !route.when
      const address = found.get(key) ?? {
        operationId: operationId(name, route, isAlone),
        context,
        method: route.method,
        path,
        routes: [],
        isOwn: ownRoutes.includes(route),
      }
      address.routes.push({ functionName: name, route })
      found.set(key, address)
    }
  }
  const addresses = [...found.values()].sort(byContextAndPath)
  for (const address of found.values())
    address.routes.sort((a, b) => (a.functionName < b.functionName ? -1 : 1))
  for (const address of addresses) check(address)
  requireDistinct(addresses)
  return addresses
}

const publicPath = (route: DescribedRoute): [string, DescribedRoute] => [
  route.path.startsWith('/.well-known/') ? route.path : `/api${route.path}`,
  route,
]

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const CONTEXTS = Object.keys(tags)

const rank = ({ context, path, method }: ListedAddress): string =>
  [CONTEXTS.indexOf(context), path, METHODS.indexOf(method)].join(' ')

const byContextAndPath = (a: ListedAddress, b: ListedAddress): number => {
  const [first, second] = [rank(a), rank(b)]
  return first < second ? -1 : first > second ? 1 : 0
}

function check({ routes, method, path }: ListedAddress): void {
  const [first, ...others] = routes
  for (const { route } of others)
    if (route.who !== first!.route.who || !route.when)
      throw new Error(`routes of ${method} ${path} differ in who may call them, or lack \`when\``)
}

function requireDistinct(addresses: readonly ListedAddress[]): void {
  const seen = new Map<string, string>()
  for (const { operationId: id, method, path } of addresses) {
    const other = seen.get(id)
    if (other) throw new Error(`${other} and ${method} ${path} would both be ${id}`)
    seen.set(id, `${method} ${path}`)
  }
}
