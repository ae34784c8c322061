// npm run metrics-page: writes docs/metrics.md from the catalogue of metrics. A test fails if the file
// differs from what this program would write.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'

const root = join(fileURLToPath(import.meta.url), '../../..')
const outfile = join(root, 'dist/metrics-page.cjs')
await esbuild.build({
  ...bundleOptions,
  stdin: {
    contents: `
      export { catalogue } from './catalogue.ts'
      export { metricsPage } from './catalogue/page.ts'`,
    resolveDir: join(root, 'monitoring'),
    loader: 'ts',
  },
  outfile,
})
const { catalogue, metricsPage } = createRequire(import.meta.url)(outfile)
writeFileSync(join(root, 'docs/metrics.md'), metricsPage(catalogue))
