import type { Browser } from 'playwright-core'
import { findChromium } from './chromium.mjs'

/** The suggestions below the address bar. Chromium loads these two pages for each window, before anybody
 * types, and that took nearly half of a window's processor time. */
const SUGGESTIONS = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup']

/** What Playwright switches off by itself. Chromium heeds only the last list, so it is part of ours. */
const PLAYWRIGHTS = [
  ...['AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose'],
  ...['HttpsUpgrades', 'HttpsFirstBalancedModeAutoEnable', 'LensOverlay', 'MediaRouter', 'PaintHolding'],
  ...['ThirdPartyStoragePartitioning', 'AvoidCorsURLLoaderRestartOnRedirect', 'OptimizationHints'],
  ...['NetworkTimeServiceQuerying', 'AimEnabled', 'PreconnectToSearch'],
]

/** Starts the Chromium of this machine. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (!executablePath) throw new Error('This test needs Chromium: on the PATH, or named in CHROMIUM.')
  const { chromium } = await import('playwright-core')
  const features = [...PLAYWRIGHTS, ...SUGGESTIONS].join()
  return chromium.launch({ executablePath, args: ['--no-sandbox', `--disable-features=${features}`] })
}
