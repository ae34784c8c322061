/**
 * The limits of a bundle.
 * @typedef {object} Budget
 * @property {number} kB the largest size, in kB of 1000 bytes; a process reads and compiles the whole bundle
 * @property {readonly string[]} [packages] the packages that it may hold; without this list it may hold any.
 *   A function imports every other package dynamically: such a package is a file in lib/, loaded when it is
 *   needed
 */

/**
 * The budget of each bundle, by its name. A name with a star is for all bundles of a folder that have no
 * budget of their own.
 * @type {Readonly<Record<string, Budget>>}
 */
export const budgets = {
  // Every cold start loads these before the port opens. The validators use a small part of ajv.
  'functions/*': { kB: 138, packages: ['ajv'] },
  // They know the contracts of all events that customers hear of.
  'functions/notify': { kB: 150, packages: ['ajv'] },
  'functions/preferences': { kB: 151, packages: ['ajv'] },
  // It holds the users, their search, their passwords and their sessions.
  'functions/users': { kB: 140, packages: ['ajv'] },
  // It does all that is due of orders, payments, payouts, transfers with providers and web hooks.
  'functions/sweep-payments': { kB: 138, packages: ['ajv'] },
  // It checks the events of many contracts.
  'functions/notify-user': { kB: 213, packages: ['ajv'] },
  // The first request that needs one of these loads it.
  'functions/lib/cloudevents': { kB: 100 },
  // With all the packages that it needs. Only the front door's pages load it.
  'functions/lib/express': { kB: 250 },
  // The first request with a cookie loads it.
  'functions/lib/cookie-session': { kB: 20 },
  // Only operators who end a dispute load it.
  'functions/lib/resolve': { kB: 19 },
  'functions/lib/find-users': { kB: 8 },
  // The dashboards. Only the page of metrics asks for them.
  'functions/lib/read-picture': { kB: 22 },
  'functions/lib/page-files': { kB: 13 },
  // rate-limiter-flexible, of which only the limiter in Postgres.
  'functions/lib/limit-route': { kB: 34 },
  'functions/lib/cockatiel': { kB: 40 },
  'functions/lib/audited': { kB: 5 },
  'functions/lib/check-token': { kB: 30 },
  'functions/lib/calls': { kB: 30 },
  'functions/lib/call-for': { kB: 27 },
  // Both hold ipaddr.js.
  'functions/lib/addresses': { kB: 40 },
  'functions/lib/post-web-hook': { kB: 40 },
  'functions/lib/sweep-watches': { kB: 11 },
  // nodemailer and web-push, each with all that it needs. Only the functions that send messages load them.
  'functions/lib/smtp': { kB: 320 },
  'functions/lib/web-push': { kB: 170 },
  'functions/lib/streamed-answer': { kB: 8 },
  'functions/lib/body-stream': { kB: 6 },
  // When an order is due next, with a Temporal for Node that has none. Only orders that recur load it.
  'functions/lib/calendar': { kB: 156 },
  // Uploads, and their store. sharp itself is no bundle: process-document loads its 17 MB for the first
  // image.
  'functions/lib/receive-file': { kB: 45 },
  'functions/lib/spool': { kB: 4 },
  'functions/lib/fetch-statement': { kB: 10 },
  'functions/lib/s3': { kB: 17 },
  'functions/lib/content-disposition': { kB: 9 },
  'functions/lib/make-anew': { kB: 4 },
  // PDFs: the library, and two fonts of 640 kB each.
  'functions/lib/statement-pdf': { kB: 3500 },
  'functions/lib/tokens': { kB: 26 },
  'functions/lib/open-pool': { kB: 125 },
  // What adds up and reports metrics, with their catalogue. Loaded two seconds after the start.
  'functions/lib/report': { kB: 28 },
  // Loaded after the first answer, if traces are exported.
  'functions/lib/otlp': { kB: 60 },
  'functions/lib/spans': { kB: 20 },
  // Separate programs.
  'local/runtime': { kB: 415 },
  'local/lab': { kB: 110 },
  'local/demo-customer': { kB: 28 },
  'local/ps': { kB: 6 },
  'local/mail': { kB: 8 },
  'local/logs': { kB: 8 },
  migrate: { kB: 200 },
  smoke: { kB: 25 },
  meter: { kB: 262 },
}
