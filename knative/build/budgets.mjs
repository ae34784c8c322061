/** What a bundle may weigh and hold.
 * @typedef {object} Budget
 * @property {number} kB of 1000 bytes: a process reads and compiles the whole bundle
 * @property {readonly string[]} [packages] that it may hold; any where there is no list. What a function uses
 *   besides, it imports dynamically: that stands in lib/ until it is needed */

/** By bundle; a name with a star stands for all in its folder that have no line of their own.
 * @type {Readonly<Record<string, Budget>>} */
export const budgets = {
  // Loaded before the port opens, at every cold start. The validators use a little of ajv.
  'functions/*': { kB: 120, packages: ['ajv'] },
  // It has express, with all that this brings.
  'functions/front-door': { kB: 332 },
  // Loaded by the first request that needs them.
  'functions/lib/cloudevents': { kB: 100 },
  'functions/lib/cockatiel': { kB: 40 },
  'functions/lib/jose': { kB: 100 },
  'functions/lib/pg': { kB: 125 },
  'functions/lib/prom-client': { kB: 115 },
  // Loaded where traces are exported, after the first answer.
  'functions/lib/otlp': { kB: 60 },
  'functions/lib/spans': { kB: 20 },
  // Programs of their own.
  'local/runtime': { kB: 255 },
  'local/ps': { kB: 6 },
  migrate: { kB: 200 },
  smoke: { kB: 20 },
}
