// npm run screens: bundles what takes the pictures, because it is TypeScript and Node 20 can't run that, and
// starts it. The bundle lies two folders below the root, where it looks for the bank's files.
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { bundleOptions } from '../../../knative/build/bundle-options.mjs'

const root = join(fileURLToPath(import.meta.url), '../../../..')
const outfile = join(root, '.microbank/screens/main.cjs')
await esbuild.build({
  ...bundleOptions,
  absWorkingDir: root,
  entryPoints: ['tests/web/screens/main.ts'],
  packages: 'external',
  outfile,
})
process.chdir(root)
const folder = mkdtempSync(join(tmpdir(), 'microbank-screens-'))
process.env.TEST_RUN_FOLDER = folder
try {
  await createRequire(import.meta.url)(outfile).takeScreens(process.argv.slice(2))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
