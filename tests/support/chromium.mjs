import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Chromium without windows and all that only they need. */
const HEADLESS = 'chromium-headless-shell'

const NAMES = [HEADLESS, 'chromium', 'chromium-browser', 'google-chrome']

/** Where macOS has them. */
const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const onPath = (/** @type {string[]} */ names) =>
  names.flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)))

/** Returns whether the browser for the tests was named in CHROMIUM, or is the one without windows. */
export const isQuickest = () =>
  Boolean(process.env.CHROMIUM) || onPath([HEADLESS]).some((path) => existsSync(path))

/** Returns the path of the browser for the tests of pages: of CHROMIUM, or one that is installed; undefined
 * if there is none. */
export const findChromium = () =>
  process.env.CHROMIUM || [...onPath(NAMES), ...APPLICATIONS].find((path) => existsSync(path))
