/** Upper bounds of histograms, in the unit of their names. The catalogue and the processes share them; this
 * file is alone so that a function need not load the catalogue before its port opens. */
export const buckets = {
  request: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  requestFine: [
    0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2,
    0.3, 0.5, 0.75, 1, 2, 5, 10, 30,
  ],
  size: [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000],
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  statement: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
  notification: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  /** Dense where Node itself starts, at 20 to 100 ms. */
  coldStart: [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10],
  garbage: [0.001, 0.01, 0.1, 1],
  dispatch: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
} as const satisfies Readonly<Record<string, readonly number[]>>
