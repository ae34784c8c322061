import { readFileSync } from 'node:fs'
import Sequencer from '@jest/test-sequencer'

/** What a suite does that takes long: it starts a whole bank, or servers of its own. */
const TAKES_LONG =
  /\b(startBank|startLivelyBank|startOneBank|startWeb|startRabbitmq|startPostgres|startS3|overEveryQueue)\(/
/** The suites of many journeys or parts take longer than any other, though their own files are short. */
const TAKES_LONGEST = /\b(startWeb|startOneBank)\(/

/**
 * Puts suites that take long first, so that no worker is left with one when the others have nothing more to
 * do. Jest itself knows how long suites take only after a first run.
 */
export default class LongSuitesFirst extends Sequencer {
  /** @override */
  async sort(/** @type {import('@jest/test-result').Test[]} */ tests) {
    const sorted = await super.sort(tests)
    if (tests.some(({ duration }) => duration !== undefined)) return sorted
    const rank = (/** @type {{ path: string }} */ { path }) => {
      const text = readFileSync(path, 'utf8')
      return TAKES_LONGEST.test(text) ? 0 : TAKES_LONG.test(text) ? 1 : 2
    }
    return sorted
      .map((suite) => ({ suite, rank: rank(suite) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ suite }) => suite)
  }
}
