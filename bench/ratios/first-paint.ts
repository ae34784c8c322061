import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../../tests/support/launch-chromium.ts'
import type { Ratio } from '../bench.ts'
import { startServer } from '../processes.ts'
import { inTurns, type Measurement, type Round } from '../rounds.ts'
import { startWholeBank } from '../whole-bank.ts'

/** A phone on a slow 4G network: what Lighthouse calls so, as the network of a browser emulates it. */
const NETWORK = { offline: false, latency: 562.5, downloadThroughput: 184_320, uploadThroughput: 84_375 }
const CPU_SLOWDOWN = 4
/** A page that shows nothing by then shows nothing at all. */
const PAINT_MS_MAX = 60_000
/** The first page that anybody sees. */
const PATH = '/sign-in'

/** The time until a browser shows something of the bank's first page, against a page with one word that bare
 * Node serves; in a browser that was never there, and in one that has the files. */
export const firstPaint: Ratio = {
  id: 'first-paint',
  needs: ['chromium', 'rabbitmq-server'],
  async run(bench) {
    const count = bench.isQuick ? 1 : 5
    const node = bench.nodes[0]!
    bench.progress.step('first-paint: starting the whole bank')
    const bank = await startWholeBank(bench, node)
    const word = await startServer(bench, {
      ...{ script: join(bench.folder, 'word.cjs'), env: {}, node },
      firstRequest: { path: '/' },
    })
    const browser = await launchChromium()
    bench.undo.add(() => browser.close())
    const [ours, floor] = [bank.url + PATH, word.url]
    // The front door loads the pages when it is first asked for one.
    await paint(browser, ours)
    const rounds = await inTurns(
      count,
      (round) => {
        bench.progress.step(`first-paint: round ${round + 1} of ${count}`)
        return paint(browser, ours)
      },
      () => paint(browser, floor),
    )
    await browser.close()
    await word.kill()
    await bank.stop()
    const of = (which: keyof Painted): Round[] =>
      rounds.map((round) => ({ ours: round.ours[which], floor: round.floor[which] }))
    return [
      measured('first-paint', 'First paint of the pages : of one word', of('cold'), 3),
      measured('first-paint-again', 'First paint, the files being there : of one word', of('warm'), 1.3),
    ]
  },
}

const measured = (id: string, name: string, rounds: Round[], ratio: number): Measurement => ({
  ...{ id, name, rounds, unit: 'ms, slow 4G, processor 4 times slower' },
  goal: { ratio, better: 'lower' },
})

/** Milliseconds until the first contentful paint. */
interface Painted {
  cold: number
  warm: number
}

async function paint(browser: Browser, url: string): Promise<Painted> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } })
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', NETWORK)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN })
  const cold = await paintOf(page, url)
  const warm = await paintOf(page, url)
  await context.close()
  return { cold, warm }
}

async function paintOf(page: Page, url: string): Promise<number> {
  // Without it, the second opening of an address would be a reload, which asks for each file anew.
  await page.goto('about:blank')
  await page.goto(url, { timeout: PAINT_MS_MAX })
  const over = new AbortController()
  const tooLate = delay(PAINT_MS_MAX, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${url} showed nothing within ${PAINT_MS_MAX} ms`)
  })
  // A browser that hangs answers nothing, and an evaluation has no limit of its own.
  const painted = page.evaluate<number>(`new Promise((resolve) =>
    new PerformanceObserver((list) => {
      for (const { name, startTime } of list.getEntries())
        if (name === 'first-contentful-paint') resolve(startTime)
    }).observe({ type: 'paint', buffered: true }))`)
  try {
    return await Promise.race([painted, tooLate])
  } finally {
    over.abort()
  }
}
