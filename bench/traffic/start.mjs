// npm run traffic: bundles the generator, because it is TypeScript and Node 20 can't run that, and starts it.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { bundleOptions } from '../../knative/build/bundle-options.mjs'

const root = join(fileURLToPath(import.meta.url), '../../..')
const outfile = join(root, 'dist/traffic.cjs')
await esbuild.build({
  ...bundleOptions,
  absWorkingDir: root,
  entryPoints: ['bench/traffic/main.ts'],
  outfile,
})
createRequire(import.meta.url)(outfile)
