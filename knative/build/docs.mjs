import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'

const compress = promisify(brotliCompress)

/** Files of the page, by name, and where they come from. */
const ours = ['docs.css', 'docs.js']
const theirs = ['swagger-ui.css', 'swagger-ui-bundle.js']

/**
 * Writes the page of the API into a folder: `index.html`, and the files that it loads under names with a
 * hash of their content, so that browsers may keep them. Each lies there compressed, too.
 * @param {string} root
 * @param {string} folder
 */
export async function writeDocs(root, folder) {
  const source = join(root, 'functions/web/docs')
  const viewer = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  mkdirSync(folder, { recursive: true })
  let page = readFileSync(join(source, 'index.html'), 'utf8')
  const files = [...ours.map((name) => join(source, name)), ...theirs.map((name) => join(viewer, name))]
  const written = files.map(async (file) => {
    const bytes = readFileSync(file)
    const [, name, extension] = /** @type {RegExpExecArray} */ (/([^/\\]+)\.(\w+)$/.exec(file))
    const hashed = `${name}.${createHash('sha256').update(bytes).digest('hex').slice(0, 10)}.${extension}`
    page = page.replace(`"${name}.${extension}"`, `"/docs/${hashed}"`)
    await write(join(folder, hashed), bytes)
  })
  await Promise.all(written)
  await write(join(folder, 'index.html'), Buffer.from(page))
}

/** @param {string} path @param {Buffer} bytes */
async function write(path, bytes) {
  writeFileSync(path, bytes)
  // Quality 11 takes nine seconds for the viewer, and saves a tenth.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
  writeFileSync(`${path}.br`, await compress(bytes, { params }))
}
