import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'

/** Returns the URLs of the files that knative/cluster/up.sh applies, on GitHub.
 * @param {string} script text of up.sh
 * @param {string} versions text of versions.env */
export function releaseUrls(script, versions) {
  const values = Object.fromEntries(
    [...versions.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  )
  return [...script.matchAll(/"?\$GITHUB(\/\S+?\.ya?ml)/g)].map(
    ([, path = '']) =>
      'https://github.com' +
      path.replace(/\$([A-Z_]+)/g, (_, name) => {
        if (!values[name]) throw new Error(`expected ${name} in versions.env`)
        return values[name]
      }),
  )
}

/** Writes a JSON Schema for each kind and version that the CustomResourceDefinitions of a release define.
 * Each file is named <group>_<kind>_<version>.json, in small letters.
 * @param {string} release YAML
 * @param {string} folder where the files are written
 * @returns {number} how many were written */
export function writeSchemas(release, folder) {
  const definitions = parseAllDocuments(release)
    .map((document) => document.toJS())
    .filter((object) => object?.kind === 'CustomResourceDefinition')
  const kinds = definitions.flatMap(({ spec: { group, names, versions } }) =>
    versions.map((/** @type {{ name: string, schema: { openAPIV3Schema: Schema } }} */ { name, schema }) => ({
      file: `${group}_${names.kind}_${name}.json`.toLowerCase(),
      // Eventing's webhooks refuse unknown fields, even if the definitions would keep them.
      schema: closed(schema.openAPIV3Schema, /^(eventing|sources|messaging)\.knative\.dev$/.test(group)),
    })),
  )
  for (const { file, schema } of kinds) {
    const head = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } }
    schema.properties = { ...schema.properties, ...head }
    writeFileSync(join(folder, file), JSON.stringify(schema))
  }
  return kinds.length
}

/** @typedef {{ [keyword: string]: any }} Schema */

/** Returns a structural schema of Kubernetes as a JSON Schema that refuses unknown fields, except if the
 * definition keeps unknown fields and `webhookRefuses` is false.
 * @param {Schema} schema
 * @param {boolean} webhookRefuses
 * @returns {Schema} */
function closed(schema, webhookRefuses) {
  const inner = (/** @type {Schema} */ each) => closed(each, webhookRefuses)
  const { properties, items, additionalProperties, nullable, ...rest } = schema
  if (schema['x-kubernetes-int-or-string']) return { type: ['integer', 'string'] }
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] && !webhookRefuses
  return {
    ...rest,
    ...(nullable && rest.type && { type: [rest.type, 'null'] }),
    ...(items && { items: inner(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, inner(value)])),
      additionalProperties: keepsUnknown === true,
    }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: inner(additionalProperties) }),
  }
}
