// npm run traffic: bundles the generator (it is TypeScript, and Node 20 can't run that) and starts it.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'

const root = join(fileURLToPath(import.meta.url), '../../..')
const outfile = join(root, 'dist/traffic.cjs')
await esbuild.build({
  absWorkingDir: root,
  entryPoints: ['bench/traffic/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
})
createRequire(import.meta.url)(outfile)
