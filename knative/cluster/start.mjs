// Bundles a program of this folder and starts it. The program is TypeScript, which Node 20 can't run.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { bundleOptions } from '../build/bundle-options.mjs'

/** @param {string} name of the program: its file is `<name>.ts` */
export async function start(name) {
  const root = join(fileURLToPath(import.meta.url), '../../..')
  const outfile = join(root, `.microbank/cluster/${name}.cjs`)
  process.chdir(root)
  const entryPoints = [`knative/cluster/${name}.ts`]
  await esbuild.build({ ...bundleOptions, absWorkingDir: root, entryPoints, outfile })
  createRequire(import.meta.url)(outfile)
}
