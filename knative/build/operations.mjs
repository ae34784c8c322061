import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * Finds the files under functions/ that declare an operation: they have a line that starts with `export
 * default operation(`.
 * @param {string} root of the repository
 * @returns {{ name: string, context: string, path: string }[]}
 */
export function findOperations(root) {
  const functions = join(root, 'functions')
  const contexts = readdirSync(functions, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return contexts.flatMap(({ name: context }) =>
    readdirSync(join(functions, context))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => ({ name: basename(file, '.ts'), context, path: join(functions, context, file) }))
      .filter(({ path }) => /^export default operation\(/m.test(readFileSync(path, 'utf8'))),
  )
}
