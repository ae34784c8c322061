import type { AnyRoute, Operation } from '../operation.ts'
import type { Audits } from './about.ts'

/** Returns what a route leaves in the audit. Nothing can be forgotten: without a declaration, it is a row for
 * each change and each reading by an operator. */
export const auditsOf = ({ audits, method }: Pick<AnyRoute, 'audits' | 'method'>): Audits =>
  audits ?? (method === 'GET' ? 'read' : 'change')

/** Says whether an operation has to know its clients' addresses. It then needs the front door's key, with
 * which the front door signs them. */
export const knowsClients = ({ needs, routes = [] }: Operation): boolean =>
  needs?.includes('FRONT_DOOR_KEY') === true || routes.some((route) => typeof auditsOf(route) === 'string')
