import type { KubernetesObject } from './object.ts'

type Matches = (object: KubernetesObject) => boolean

/**
 * Reads a request's `labelSelector` (`a=b,c!=d,e in (f,g),h,!i`) and `fieldSelector` (`metadata.name=x`).
 * Returns a function that says whether an object matches both.
 * @throws BadSelector if a selector can't be read, or names a field that can't be selected by
 */
export function selectorOf(query: URLSearchParams): Matches {
  const labels = split(query.get('labelSelector') ?? '').map(labelTerm)
  const fields = split(query.get('fieldSelector') ?? '').map(fieldTerm)
  return (object) => [...labels, ...fields].every((matches) => matches(object))
}

export class BadSelector extends Error {}

/** Splits at commas, except those within parentheses. */
const split = (selector: string): string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter(Boolean)

function labelTerm(term: string): Matches {
  const set = /^([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term)
  if (set) {
    const [, key, operator, list] = set as unknown as [string, string, string, string]
    const values = list.split(',').map((value) => value.trim())
    return ({ metadata }) => values.includes(metadata.labels?.[key] ?? '') === (operator === 'in')
  }
  const [, not, key, operator, value] = /^(!?)([\w./-]+)(?:(==?|!=)([\w.-]*))?$/.exec(term) ?? []
  if (key === undefined || (not && operator)) throw new BadSelector(`unable to parse requirement: ${term}`)
  if (!operator) return ({ metadata }) => key in (metadata.labels ?? {}) !== (not === '!')
  return ({ metadata }) => (metadata.labels?.[key] === value) === (operator !== '!=')
}

function fieldTerm(term: string): Matches {
  const [, field, operator, value] = /^metadata\.(name|namespace)(==?|!=)(.*)$/.exec(term) ?? []
  // The object that an event is about. There are no events, so every such selector matches.
  if (!field && /^(involvedObject|regarding)\./.test(term)) return () => true
  if (!field) throw new BadSelector(`field label not supported: ${term}`)
  return ({ metadata }) => (metadata[field as 'name' | 'namespace'] === value) === (operator !== '!=')
}
