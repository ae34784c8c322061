import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { applyPatch, type Operation } from 'rfc6902'
import { parseYaml, readResource, type Resource } from './resource.ts'

/** The changes that a kustomization.yaml makes to the manifests in its folder and below. */
export interface Kustomization {
  /** Relative to the root. */
  folder: string
  /** In the order in which they apply. */
  patches: Patch[]
}

interface Patch {
  /** The file that holds the operations, relative to the root. */
  file: string
  operations: Operation[]
  isFor: (resource: Resource) => boolean
}

/**
 * The fields of a kustomization.yaml that the local runtime knows. It ignores `resources`: it reads every
 * file of the folder.
 */
const FIELDS = ['apiVersion', 'kind', 'metadata', 'resources', 'patches']
const OPERATIONS = ['add', 'replace', 'remove']

export const isKustomization = (file: string): boolean => /^kustomization\.ya?ml$/.test(basename(file))

/**
 * Reads a kustomization.yaml and the patches that it names: JSON patches (RFC 6902) with a target, as
 * kustomize applies them. Throws an error with the file's name if the file has anything else that would
 * change manifests on a cluster, but not here.
 */
export function readKustomization(root: string, file: string): Kustomization {
  const [document] = parseYaml(file, readFileSync(join(root, file), 'utf8'))
  const { patches = [] } = fields(file, 'this kustomization', document, FIELDS)
  if (!Array.isArray(patches)) throw new Error(`${file}: patches is not a list`)
  return {
    folder: dirname(file),
    patches: patches.map((patch, index) => readPatch(root, file, `patches.${index}`, patch)),
  }
}

/** Applies the patches of all kustomizations in the resource's folder and above. */
export function patched(resource: Resource, kustomizations: readonly Kustomization[]): Resource {
  return kustomizations
    .filter(({ folder }) => resource.file.startsWith(`${folder}/`))
    .sort((one, other) => other.folder.length - one.folder.length) // The inner one first.
    .flatMap(({ patches }) => patches)
    .reduce((result, patch) => (patch.isFor(result) ? apply(patch, result) : result), resource)
}

function apply({ file, operations }: Patch, resource: Resource): Resource {
  // The copy has no aliases of YAML, so that an operation changes only one place.
  const document = JSON.parse(JSON.stringify(resource.document)) as Record<string, unknown>
  for (const operation of operations) {
    const problem = attempt(document, operation)
    if (problem)
      throw new Error(
        `${file}: ${operation.op} ${operation.path} does not apply to ${resource.kind} ` +
          `${resource.metadata.name} of ${resource.file}: ${problem}`,
      )
  }
  const patchedBy = [...(resource.patchedBy ?? []), file]
  return { ...readResource(resource.file, document), patchedBy }
}

/** Applies an operation. Returns the reason if it can't be applied. */
function attempt(document: object, operation: Operation): string | undefined {
  try {
    return applyPatch(document, [operation])[0]?.message
  } catch (error) {
    return (error as Error).message
  }
}

function readPatch(root: string, file: string, where: string, entry: unknown): Patch {
  const { path, patch, target } = fields(file, where, entry, ['path', 'patch', 'target'])
  const inline = typeof patch === 'string' && path === undefined
  if (!inline && (typeof path !== 'string' || patch !== undefined))
    throw new Error(`${file}: ${where} needs either path, the name of a file, or patch, a text`)
  const source = inline ? file : join(dirname(file), path as string)
  const operations = readList(source, inline ? patch : readNamed(root, source, file))
  if (!operations)
    throw new Error(
      `${source}: ${inline ? `${where} is` : 'this is'} not a list of JSON patch operations, ` +
        'and the local runtime applies no other kind of patch',
    )
  return {
    file: source,
    operations: operations.map((operation) => readOperation(source, operation)),
    isFor: readTarget(file, `${where}.target`, target),
  }
}

/** The list of operations in a patch; undefined if the text is not such a list. */
function readList(file: string, text: string): unknown[] | undefined {
  const [list, ...more] = parseYaml(file, text)
  if (!Array.isArray(list) || list.length === 0 || more.length > 0) return undefined
  // kustomize reads a text that starts like JSON as JSON, which allows less than YAML.
  if (text.trimStart().startsWith('['))
    try {
      JSON.parse(text)
    } catch {
      return undefined
    }
  return list as unknown[]
}

function readNamed(root: string, path: string, file: string): string {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch (error) {
    throw new Error(`${file}: the patch ${path} can't be read: ${(error as Error).message}`, { cause: error })
  }
}

function readOperation(file: string, operation: unknown): Operation {
  const { op, path } = (operation ?? {}) as Record<string, unknown>
  if (OPERATIONS.includes(op as string) && typeof path === 'string' && path.startsWith('/'))
    // Nothing to replace exists after the end of a list, but the library would accept it.
    if (op !== 'replace' || !/\/-\d*$/.test(path)) return operation as Operation
  throw new Error(
    `${file}: ${JSON.stringify(operation)} is an operation that the local runtime does not know; ` +
      `expected ${OPERATIONS.join(', ')} with a path that starts with /`,
  )
}

/**
 * Returns a function that says whether a resource is the target of a patch. Each field of the target is a
 * regular expression that must match the whole value.
 */
function readTarget(file: string, where: string, target: unknown): Patch['isFor'] {
  if (target === undefined) throw new Error(`${file}: ${where} is missing; it must say what to patch`)
  const selectors = fields(file, where, target, ['group', 'version', 'kind', 'name', 'namespace'])
  const expressions = Object.entries(selectors).map(
    ([name, text]) => [name, expression(file, `${where}.${name}`, text)] as const,
  )
  return ({ apiVersion, kind, metadata, document }) => {
    const [version, group = ''] = apiVersion.split('/').reverse() as [string, string?]
    const { namespace = 'default' } = document.metadata as { namespace?: string }
    const values: Record<string, string> = { group, version, kind, name: metadata.name, namespace }
    return expressions.every(([name, wanted]) => wanted.test(values[name]!))
  }
}

function expression(file: string, where: string, text: unknown): RegExp {
  if (text === '') return /^/
  // Kustomize is written in Go, whose regular expressions have no look-ahead and no look-behind.
  if (typeof text === 'string' && !/\(\?[=!<]/.test(text))
    try {
      return new RegExp(`^(?:${text})$`)
    } catch {
      // The error is thrown below.
    }
  throw new Error(`${file}: ${where} is ${JSON.stringify(text)}; expected a regular expression of Go`)
}

/** The fields of an object. Throws if the value is not an object, or has fields that are not in `known`. */
function fields(
  file: string,
  where: string,
  value: unknown,
  known: readonly string[],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${file}: ${where} is not an object`)
  const other = Object.keys(value).filter((name) => !known.includes(name))
  if (other.length > 0)
    throw new Error(
      `${file}: ${where} has ${other.join(', ')}, which the local runtime does not support; ` +
        `it knows ${known.join(', ')}`,
    )
  return value as Record<string, unknown>
}
