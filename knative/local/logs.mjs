// `npm run logs`: shows what the functions of a bank on this machine have logged.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bundle = join(fileURLToPath(import.meta.url), '../../../dist/local/logs.cjs')
if (existsSync(bundle)) createRequire(import.meta.url)(bundle)
else {
  console.error('The bank has not been started here yet: npm start')
  process.exitCode = 1
}
