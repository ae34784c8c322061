// npm run dashboards: writes monitoring/grafana/*.json, which Grafana reads. A test fails if a file differs
// from what this program would write.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { bundleOptions } from './bundle-options.mjs'

const root = join(fileURLToPath(import.meta.url), '../../..')
const outfile = join(root, 'dist/dashboards.cjs')
await esbuild.build({
  ...bundleOptions,
  stdin: {
    contents: `
      export { boards } from './boards.ts'
      export { grafanaDashboard } from './grafana.ts'`,
    resolveDir: join(root, 'monitoring/dashboards'),
    loader: 'ts',
  },
  outfile,
})
const { boards, grafanaDashboard } = createRequire(import.meta.url)(outfile)
for (const board of boards)
  writeFileSync(
    join(root, `monitoring/grafana/dashboards/${board.uid}.json`),
    `${JSON.stringify(grafanaDashboard(board), null, 2)}\n`,
  )
