import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BrowserContext, Page } from 'playwright-core'
import type { Customer } from '../../support/customers.ts'
import { ROOT } from '../../support/repository.ts'
import { sidewaysPx } from '../support/axe.ts'
import { ready, startWeb, type Web } from '../support/browser.ts'
import { addressOf, routes } from '../support/routes.ts'
import { fill, type People } from './people.ts'
import { scenes } from './scenes.ts'
import { states } from './states.ts'

const LANGUAGES = { en: 'en-GB', de: 'de-DE' } as const
type Language = keyof typeof LANGUAGES
const HEIGHTS = { 1280: 800, 360: 740 } as const
type Width = keyof typeof HEIGHTS
/** Of a picture whose window is as high as its page. */
const HEIGHT_MAX = 8_000
type Theme = 'light' | 'dark'

/** One way to look at a page. */
interface Sight {
  language: Language
  width: Width
  themes: readonly Theme[]
}

/** An operator's session that is not used ends, before long. */
const UNUSED_MAX_MS = 300_000

const BOTH_THEMES = ['light', 'dark'] as const

/** Every page is looked at in each way. */
const ALL: readonly Sight[] = (['en', 'de'] as const).flatMap((language) =>
  ([1280, 360] as const).map((width) => ({ language, width, themes: BOTH_THEMES })),
)

/** States and scenes are many, and look as their page does: two ways show each language, width and theme. */
const TWO: readonly Sight[] = [
  { language: 'en', width: 1280, themes: ['light'] },
  { language: 'de', width: 360, themes: ['dark'] },
]

const KINDS = ['full', 'empty', ...Object.keys(states), 'scenes', 'outside'] as const

const HELP = `Takes pictures of every page, and writes them to dist/screens/index.html for somebody to look at: at
360 and 1280 px, light and dark, in English and German, with the same people and things each time.

  npm run screens -- [--only path] [--kind ${KINDS.join('|')}]`

/** Takes the pictures. */
export async function takeScreens(args: string[]): Promise<void> {
  const options = { only: { type: 'string' }, kind: { type: 'string' }, help: { type: 'boolean' } } as const
  const { only, kind, help } = parseArgs({ args, options }).values
  if (help) return console.log(HELP)
  if (kind !== undefined && !KINDS.includes(kind)) throw new Error(`--kind is one of ${KINDS.join(', ')}`)
  const folder = join(ROOT, 'dist/screens')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // Its mails are caught, as those of a laptop's bank.
  const web = await startWeb({ env: { MESSAGE_CHANNELS: 'email' } })
  try {
    console.log('filling a new bank')
    const camera = new Camera(web, await fill(web.bank), folder)
    await takeAll(camera, { only, kind })
    writeFileSync(join(folder, 'index.html'), indexOf(camera.taken))
    // What a state makes a page log is no fault of the page.
    await web.leave().catch((error: Error) => console.log(error.message))
    console.log(`${camera.taken.length} pictures: ${join(folder, 'index.html')}`)
  } finally {
    await web.stop()
  }
}

/** Takes all pictures, or those of one page or one kind. */
export async function takeAll(
  camera: Camera,
  { only, kind }: { only: string | undefined; kind: string | undefined },
): Promise<void> {
  const isShown = (path: string): boolean => only === undefined || path === only
  const isTaken = (name: string): boolean => kind === undefined || kind === name
  const shown = routes.filter(({ path }) => isShown(path))
  if (isTaken('full')) for (const route of shown) await camera.page(route)
  if (isTaken('empty'))
    for (const route of shown)
      if (route.who === 'customer' && !route.path.includes(':')) await camera.page(route, 'empty')
  for (const name of Object.keys(states))
    if (isTaken(name)) for (const route of shown) await camera.state(route, name)
  if (isTaken('scenes')) for (const scene of scenes) if (isShown(scene.path)) await camera.scene(scene)
  if (isTaken('outside')) for (const path of OUTSIDE) if (isShown(path)) await camera.outside(path)
}

/** What browsers show of the bank besides its pages. */
const OUTSIDE = ['/docs', '/api/nothing-here']

interface Picture {
  title: string
  file: string
}

type Reader = Customer | 'operator' | 'anyone'
type PageRoute = (typeof routes)[number]

/** Takes pictures of the pages of one bank. */
export class Camera {
  readonly taken: Picture[] = []
  readonly #windows = new Map<string, { context: BrowserContext; usedAt: number }>()
  readonly #web: Web
  readonly #people: People
  readonly #folder: string

  constructor(web: Web, people: People, folder: string) {
    this.#web = web
    this.#people = people
    this.#folder = folder
  }

  /** Takes a page of somebody who has much, or of somebody who has nothing yet. */
  async page({ path, who }: PageRoute, state: 'full' | 'empty' = 'full'): Promise<void> {
    const { rich, poor, things } = this.#people
    const as = who === 'customer' ? (state === 'full' ? rich : poor) : who
    const url = this.#web.bank.url + addressOf(path, things)
    await this.#look(ALL, as, path, state, async (page) => {
      await page.goto(url)
      await ready(page)
    })
  }

  async state({ path, who }: PageRoute, name: string): Promise<void> {
    const state = states[name]!
    if (!state.fits(path)) return
    const { rich, things } = this.#people
    const url = this.#web.bank.url + addressOf(path, things)
    await this.#look(TWO, who === 'customer' ? rich : who, path, name, (page) => state.show(page, url))
  }

  async scene({ name, path, who, act, spoils = false }: (typeof scenes)[number]): Promise<void> {
    const { rich, things } = this.#people
    const url = this.#web.bank.url + addressOf(path, things)
    await this.#look(TWO, who === 'customer' ? rich : who, path, name, async (page) => {
      await page.goto(url)
      await ready(page)
      await act(page, this.#people)
    })
    if (spoils) this.#windows.clear()
  }

  async outside(path: string): Promise<void> {
    await this.#look(ALL, 'anyone', path, 'outside', async (page) => {
      await page.goto(this.#web.bank.url + path, { waitUntil: 'networkidle' })
    })
  }

  /** Shows something in each way to look at it, and takes it. A failure is told, and the other pictures are
   * taken. */
  async #look(
    sights: readonly Sight[],
    who: Reader,
    path: string,
    state: string,
    show: (page: Page) => Promise<void>,
  ): Promise<void> {
    console.log(`${path} (${state})`)
    for (const sight of sights) {
      const { language, width, themes } = sight
      let page = await this.#tabOf(who, sight)
      try {
        await show(page)
        // A tab that is closed while it renews its session has thrown the session away.
        if (who !== 'anyone' && new URL(page.url()).pathname === '/sign-in') {
          this.#windows.clear()
          page = await this.#tabOf(who, sight)
          await show(page)
        }
        const px = await sidewaysPx(page)
        if (px > 0) console.log(`  ${language}, ${width} px: ${px} px too wide`)
        // What is fixed to the bottom of the window would stand in the middle of the picture.
        const whole = await page.locator('html').evaluate(({ scrollHeight }) => scrollHeight)
        await page.setViewportSize({ width, height: Math.max(HEIGHTS[width], Math.min(whole, HEIGHT_MAX)) })
        for (const theme of themes) {
          await page.emulateMedia({ colorScheme: theme })
          const file = `${[slugOf(path), state, language, width, theme].join('-')}.png`
          await page.screenshot({
            path: join(this.#folder, file),
            fullPage: true,
            animations: 'disabled',
          })
          this.taken.push({ title: `${path} (${state}), ${language}, ${width} px, ${theme}`, file })
        }
      } catch (error) {
        console.log(`  ${language}, ${width} px: ${(error as Error).message}`)
      }
      await page.context().setOffline(false)
      await page.close()
    }
  }

  async #tabOf(who: Reader, sight: Sight): Promise<Page> {
    const page = await (await this.#windowOf(who, sight)).newPage()
    await page.emulateMedia({ colorScheme: sight.themes[0]! })
    return page
  }

  /** Returns a window for each reader, language and width: to sign in takes longer than a page. */
  async #windowOf(who: Reader, { language, width }: Sight): Promise<BrowserContext> {
    const name = [typeof who === 'string' ? who : who.id, language, width].join(' ')
    const known = this.#windows.get(name)
    const usedAt = Date.now()
    if (known && usedAt - known.usedAt < UNUSED_MAX_MS) {
      known.usedAt = usedAt
      return known.context
    }
    const { context, page } = await this.#web.stay({
      ...(who !== 'anyone' && { as: who }),
      locale: LANGUAGES[language],
      reducedMotion: 'reduce',
      viewport: { width, height: HEIGHTS[width] },
    })
    await page.close()
    this.#windows.set(name, { context, usedAt })
    return context
  }
}

const slugOf = (path: string): string => path.replaceAll(/[/:]+/g, '_').replace(/^_$/, '_home')

const indexOf = (taken: readonly Picture[]): string => `<!doctype html>
<meta charset="utf-8" />
<title>Every page of microbank</title>
<style>
  body { font: 14px system-ui; display: flex; flex-wrap: wrap; gap: 16px; align-items: start }
  img { max-width: 640px; border: 1px solid #888 }
</style>
${taken.map(({ title, file }) => `<figure><figcaption>${title}</figcaption><a href="${file}"><img src="${file}" alt="" loading="lazy" /></a></figure>`).join('\n')}
`
