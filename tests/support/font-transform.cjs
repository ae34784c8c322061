/** Gives tests the bytes of a font that they import, as the build does. */
module.exports = {
  process: (/** @type {string} */ _source, /** @type {string} */ path) => ({
    code: `exports.default = require('node:fs').readFileSync(${JSON.stringify(path)}); exports.__esModule = true`,
  }),
}
