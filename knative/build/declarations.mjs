import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as esbuild from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'

/**
 * Packages that can't be bundled. @node-rs/argon2 and sharp are compiled for one platform. pg loads pg-native
 * only if it is configured to.
 */
export const EXTERNAL = ['@node-rs/argon2', 'sharp', 'pg-native']

/**
 * Loads the declarations of the operations and the contracts of the events. The validators, the front door's
 * routes and the documents of the contract are made from them.
 * @param {string} root of the repository
 * @param {{ name: string, path: string }[]} operations
 * @param {string} folder where it may write
 */
export async function readDeclarations(root, operations, folder) {
  const outfile = join(folder, 'declarations.cjs')
  const events = readdirSync(join(root, 'eventing/contracts')).filter((file) =>
    /^[a-z-]+\.[a-z-]+\.ts$/.test(file),
  )
  await esbuild.build({
    ...bundleOptions,
    absWorkingDir: root,
    stdin: {
      contents: `${operations.map(({ path }, i) => `import operation${i} from ${JSON.stringify(path)}`).join('\n')}
        ${events.map((file, i) => `import * as event${i} from './eventing/contracts/${file}'`).join('\n')}
        export { validatorsSource } from './functions/host/http/compile-validators.ts'
        export { catalogueOf } from './functions/host/catalogue.ts'
        export { refusalsOf } from './functions/host/refusals.ts'
        export { openapiOf } from './functions/host/contract/openapi.ts'
        export { asyncapiOf } from './eventing/asyncapi.ts'
        export const operations = [${operations.map((_, i) => `operation${i}`).join(', ')}]
        export const events = [${events.map((_, i) => `...Object.values(event${i})`).join(', ')}]
          .filter((value) => typeof value === 'object' && 'schema' in value)`,
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    external: EXTERNAL,
    packages: 'external',
  })
  return createRequire(import.meta.url)(outfile)
}

/**
 * Writes the documents of the contract, openapi.json and asyncapi.json.
 * @param {string} root of the repository
 * @param {any} declarations
 * @param {string} folder
 * @param {number} [indent] blanks per level, for people who read it; without it, all is one line
 */
export function writeContract(root, { openapiOf, asyncapiOf, operations, events }, folder, indent) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const documents = { openapi: openapiOf(operations, version), asyncapi: asyncapiOf(events, version) }
  for (const [name, document] of Object.entries(documents))
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(document, null, indent)}\n`)
}
