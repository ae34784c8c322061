import { parseAllDocuments } from 'yaml'

/** One YAML document, with the file that it came from: every error about it names that file. */
export interface Resource {
  file: string
  /** The files of the patches that were applied to it. */
  patchedBy?: string[]
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Record<string, string>; annotations: Record<string, string> }
  /** The document after all patches. */
  document: Record<string, unknown>
}

/**
 * Returns the documents of a YAML file, without empty ones. Throws with the file's name if it is not YAML.
 */
export function parseYaml(file: string, text: string): unknown[] {
  return parseAllDocuments(text).flatMap((parsed) => {
    const [error] = parsed.errors
    if (error) throw new Error(`${file}: ${error.message}`)
    const document: unknown = parsed.toJS()
    return document === null ? [] : [document]
  })
}

/** Reads a parsed YAML document as a Kubernetes resource. Throws if it is not one. */
export function readResource(file: string, document: Record<string, unknown>): Resource {
  const { apiVersion, kind, metadata } = document
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new Error(`${file}: every document needs apiVersion and kind`)
  const { name, labels, annotations } = (metadata ?? {}) as Record<string, unknown>
  if (typeof name !== 'string') throw new Error(`${file}: ${kind} needs metadata.name`)
  const resource: Resource = {
    file,
    apiVersion,
    kind,
    metadata: { name, labels: {}, annotations: {} },
    document,
  }
  resource.metadata.labels = strings(resource, 'metadata.labels', labels)
  resource.metadata.annotations = strings(resource, 'metadata.annotations', annotations)
  return resource
}

/** The value at a dotted path of a document; undefined if there is none. */
export function field(resource: Resource, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | null | undefined)?.[key],
      resource.document,
    )
}

export function optionalText(resource: Resource, path: string): string | undefined {
  const value = field(resource, path)
  if (value === undefined || typeof value === 'string') return value
  throw wrong(resource, path, 'text', value)
}

/**
 * Makes the error for a value that can't be used. It names the file, the resource, the field, the expected
 * value and the value that was found.
 */
export function wrong(resource: Resource, path: string, expected: string, value: unknown): Error {
  const { file, kind, metadata, patchedBy = [] } = resource
  const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
  const patches = patchedBy.length > 0 ? ` (patched by ${patchedBy.join(', ')})` : ''
  return new Error(`${file}: ${kind} ${metadata.name}: ${path} ${found}; expected ${expected}${patches}`)
}

/**
 * Reads a map of texts, such as labels, annotations and a ConfigMap's data. Throws if a value is not a text.
 */
export function strings(resource: Resource, path: string, value: unknown): Record<string, string> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>)
  for (const [key, entry] of entries)
    // Kubernetes refuses numbers and booleans here. A manifest that runs locally must run on a cluster too.
    if (typeof entry !== 'string') throw wrong(resource, `${path}.${key}`, 'text in quotes', entry)
  return Object.fromEntries(entries) as Record<string, string>
}
