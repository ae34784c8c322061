/** What a path leads to, and the values of its parameters. */
export interface PathMatch<Target> {
  target: Target
  params: Record<string, string>
}

/** Finds the declared path that matches, like `/accounts/{id}/balance`; undefined if none does. */
export type FindPath<Target> = (path: string) => PathMatch<Target> | undefined

/** Returns a lookup over declared paths. A literal segment wins over a parameter, and a slash at the end
 * changes nothing. A parameter is one segment, percent-decoded; a segment that can't be decoded matches
 * nothing. */
export function createPathTable<Target>(paths: Iterable<readonly [string, Target]>): FindPath<Target> {
  const literal = new Map<string, Target>()
  const patterns: { pattern: RegExp; names: string[]; target: Target }[] = []
  for (const [path, target] of paths) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
    if (names.length === 0) literal.set(path, target)
    else patterns.push({ pattern: toPattern(path), names, target })
  }
  patterns.sort((a, b) => a.names.length - b.names.length)

  return (path) => {
    const end = path.length - 1
    const asked = end > 0 && path.endsWith('/') ? path.slice(0, end) : path
    const target = literal.get(asked)
    if (target !== undefined) return { target, params: {} }
    for (const { pattern, names, target } of patterns) {
      const found = pattern.exec(asked)
      const params = found && decode(names, found)
      if (params) return { target, params }
    }
    return undefined
  }
}

const toPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}$`)

function decode(names: string[], found: RegExpExecArray): Record<string, string> | undefined {
  try {
    return Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1]!)]))
  } catch {
    return undefined
  }
}
