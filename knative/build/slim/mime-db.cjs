// Replaces mime-db (a table of every media type) in the bundles: the host sets content types itself.
module.exports = { 'application/json': { source: 'iana', charset: 'UTF-8', extensions: ['json'] } }
