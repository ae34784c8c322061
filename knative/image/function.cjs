// Starts the function that the Service names in its args: `node dist/function.cjs transfer`.
const { readdirSync } = require('node:fs')
const { join } = require('node:path')

const [, , name = ''] = process.argv
const bundles = join(__dirname, 'functions')
const names = readdirSync(bundles)
  .filter((file) => file.endsWith('.cjs'))
  .map((file) => file.slice(0, -'.cjs'.length))
if (names.includes(name)) require(join(bundles, `${name}.cjs`))
else {
  process.stderr.write(`expected the name of a function, not '${name}'; there are: ${names.join(', ')}\n`)
  process.exit(78)
}
