// npm run event-types: writes event-types.yaml from the contracts, so that `kn source list-types` and an
// event registry know them. A test fails if the file differs from what this program would write.
import { readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { stringify } from 'yaml'
import { bundleOptions } from './bundle-options.mjs'

const root = join(fileURLToPath(import.meta.url), '../../..')
const eventing = join(root, 'eventing')
const files = readdirSync(join(eventing, 'contracts')).filter((file) => /^[a-z-]+\.[a-z-]+\.ts$/.test(file))
const outfile = join(root, 'dist/contracts.cjs')
await esbuild.build({
  ...bundleOptions,
  stdin: {
    contents: [
      ...files.sort().map((file) => `export * from './contracts/${file}'`),
      `export * from './contracts/contract.ts'`,
    ].join('\n'),
    resolveDir: eventing,
    loader: 'ts',
  },
  outfile,
})
const { sourceOf, dataschemaOf, ...contracts } = createRequire(import.meta.url)(outfile)

const documents = Object.values(contracts).map((contract) =>
  stringify(
    {
      apiVersion: 'eventing.knative.dev/v1beta2',
      kind: 'EventType',
      metadata: { name: contract.type, namespace: 'bank' },
      spec: {
        type: contract.type,
        source: sourceOf(contract),
        schema: dataschemaOf(contract),
        description: contract.description,
        reference: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' },
      },
    },
    { lineWidth: 0, singleQuote: true },
  ),
)
const head = '# Written by `npm run event-types` from the contracts; change those, then run it.\n'
writeFileSync(join(eventing, 'event-types.yaml'), head + documents.join('---\n'))
