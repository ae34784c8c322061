import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import type { Customer } from '../../support/customers.ts'
import { ROOT } from '../../support/repository.ts'
import { sidewaysPx } from '../support/axe.ts'
import { ready, startWeb, type Web } from '../support/browser.ts'
import { addressOf, routes } from '../support/routes.ts'
import { fill } from './people.ts'

const LANGUAGES = { en: 'en-GB', de: 'de-DE' } as const
const WIDTHS = { 1280: 800, 360: 740 } as const
const THEMES = ['light', 'dark'] as const

const HELP = `Takes a picture of every page, at 360 and 1280 px, light and dark, in English and German, with the same
people and things each time, and writes them to dist/screens/index.html for somebody to look at.

  npm run screens -- [--only path]`

/** Takes the pictures. */
export async function takeScreens(args: string[]): Promise<void> {
  const options = { only: { type: 'string' }, help: { type: 'boolean' } } as const
  const { only, help } = parseArgs({ args, options }).values
  if (help) return console.log(HELP)
  const folder = join(ROOT, 'dist/screens')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const web = await startWeb()
  try {
    console.log('filling a new bank')
    const { rich, poor, things } = await fill(web.bank)
    const shown = routes.filter(({ path }) => only === undefined || path === only)
    const taken: Picture[] = []
    for (const { path, who } of shown) {
      console.log(path)
      const as = who === 'anyone' ? undefined : who === 'operator' ? who : rich
      taken.push(...(await takePage(web, { folder, path, address: addressOf(path, things), as })))
    }
    // What somebody sees who has nothing yet.
    for (const { path } of shown.filter((route) => route.who === 'customer' && !route.path.includes(':')))
      taken.push(...(await takePage(web, { folder, path, address: path, as: poor, isEmpty: true })))
    writeFileSync(join(folder, 'index.html'), indexOf(taken))
    await web.leave()
    console.log(`${taken.length} pictures: ${join(folder, 'index.html')}`)
  } finally {
    await web.stop()
  }
}

interface Picture {
  title: string
  file: string
}

interface Taken {
  folder: string
  path: string
  address: string
  as: Customer | 'operator' | undefined
  isEmpty?: boolean
}

async function takePage(web: Web, { folder, path, address, as, isEmpty = false }: Taken): Promise<Picture[]> {
  const taken: Picture[] = []
  for (const [language, locale] of Object.entries(LANGUAGES)) {
    const { page, context, go } = await web.visit({ ...(as && { as }), locale, reducedMotion: 'reduce' })
    await go(address)
    for (const [width, height] of Object.entries(WIDTHS)) {
      await page.setViewportSize({ width: Number(width), height })
      await ready(page)
      const px = await sidewaysPx(page)
      if (px > 0) console.log(`${path}, ${language}, ${width} px: ${px} px too wide`)
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme })
        const name = [slugOf(path), ...(isEmpty ? ['empty'] : []), language, width, theme].join('-')
        await take(page, join(folder, `${name}.png`))
        taken.push({
          title: `${path}${isEmpty ? ' (empty)' : ''}, ${language}, ${width} px, ${theme}`,
          file: `${name}.png`,
        })
      }
    }
    await context.close()
  }
  return taken
}

const slugOf = (path: string): string => path.replaceAll(/[/:]+/g, '_').replace(/^_$/, '_home')

/** Takes the whole page. What is fixed to the window would stand in its middle. */
async function take(page: Page, path: string): Promise<void> {
  await page.screenshot({ path, fullPage: true, animations: 'disabled' })
}

const indexOf = (taken: readonly Picture[]): string => `<!doctype html>
<meta charset="utf-8" />
<title>Every page of microbank</title>
<style>
  body { font: 14px system-ui; display: flex; flex-wrap: wrap; gap: 16px; align-items: start }
  img { max-width: 640px; border: 1px solid #888 }
</style>
${taken.map(({ title, file }) => `<figure><figcaption>${title}</figcaption><a href="${file}"><img src="${file}" alt="" loading="lazy" /></a></figure>`).join('\n')}
`
