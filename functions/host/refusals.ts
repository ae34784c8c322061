import { hostProblems } from './contract/host-problems.ts'
import type { Operation } from './operation.ts'
import { problems } from './problems.ts'

/** Returns the names of the problems with which each function may answer, by its name. Monitoring shows them
 * from the start, with 0. */
export function refusalsOf(operations: readonly Operation[]): Record<string, string[]> {
  return Object.fromEntries(
    operations.map(({ name, routes = [], mount, consumes }) => {
      const possible = [
        ...routes.flatMap((route) => [
          ...(route.problems ?? []),
          ...hostProblems(route, mount !== undefined),
        ]),
        ...(consumes ? [problems.eventRefused] : []),
      ]
      return [name, [...new Set(possible.map((problem) => problem.name))].sort()]
    }),
  )
}
