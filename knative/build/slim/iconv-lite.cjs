// Replaces iconv-lite (half a megabyte of tables) in the bundles: the bank reads only UTF-8. raw-body turns
// the error into "415, unsupported charset".
const { StringDecoder } = require('node:string_decoder')

const encodingExists = (/** @type {string} */ name) => /^utf-?8$/i.test(name)

function getDecoder(/** @type {string} */ name) {
  if (!encodingExists(name)) throw new Error(`Encoding not recognized: ${name}`)
  return new StringDecoder('utf8')
}

module.exports = {
  encodingExists,
  getDecoder,
  decode: (/** @type {Buffer} */ bytes, /** @type {string} */ name) => getDecoder(name).end(bytes),
}
