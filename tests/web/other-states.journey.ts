import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createUiFiles } from '../../functions/web/page-files.ts'
import type { Customer } from '../support/customers.ts'
import { violations, violationsInThemes, watchWithAxe } from './support/axe.ts'
import { until } from '../support/until.ts'
import { customerWithMoney, type Web } from './support/browser.ts'

/** What a browser shows besides the pages: the page of the API, the one before the pages are built, and the
 * pages without a network. */
export function otherStates(web: () => Web): void {
  let customer: Customer
  beforeAll(async () => void ({ customer } = await customerWithMoney(web().bank)))

  test('axe finds nothing in the page of the API, with an operation that was tried, in either theme', async () => {
    const { page, context } = await web().visit()
    await watchWithAxe(context)
    // Colours on the way from one theme to the other have no contrast that counts.
    await page.emulateMedia({ reducedMotion: 'reduce' })
    await page.goto(`${web().bank.url}/docs`)
    await page.locator('#operations-tag-identity').click()
    const operation = page.locator('#operations-identity-createAuthLogin')
    await operation.locator('.opblock-summary-control').click()
    await operation.getByRole('button', { name: 'Try it out' }).click()
    // The viewer makes up an example of a password, and another each time.
    const body = JSON.stringify({ email: 'ada@example.com', password: 'three blue herons' })
    await operation.locator('textarea.body-param__text').fill(body)
    await operation.getByRole('button', { name: 'Execute' }).click()
    await operation.locator('.live-responses-table').waitFor()
    // So it colours variables in a command to copy. Few passwords have what it takes for one.
    await page.evaluate(`{
      const variable = document.createElement('span')
      variable.style.color = 'rgb(204, 102, 102)'
      variable.textContent = '$#4'
      document.querySelector('.curl .microlight code, .curl.microlight code').append(variable)
    }`)
    expect(await violations(page)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.locator('html.dark-mode').waitFor()
    expect(await violations(page, ['color-contrast'])).toEqual([])
  })

  test('before the pages are built, a browser gets one that says so, in which axe finds nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'microbank-ui-'))
    const give = createUiFiles(folder)
    const server = createServer((request, response) => void give(request, response, 'index.html'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { page, context } = await web().visit()
    await watchWithAxe(context)
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    // It comes back by itself, so it may be another one in the middle of a look.
    await page.evaluate('stop()')
    expect(await violationsInThemes(page)).toEqual([])
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })

  test('what waits says so: nothing at first, a skeleton, what starts, that it takes long, and that nobody answers', async () => {
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    await go('/me')
    let asked = 0
    // No answer ever comes.
    await page.route(/\/api\/media\?/, () => void asked++)
    await page.clock.pauseAt((await page.evaluate<number>('Date.now()')) + 60_000)
    await page.getByRole('link', { name: 'Documents' }).click()
    const waiting = page.locator('[aria-busy=true]')
    // React draws a page that was loaded late by a timer of its own.
    const isThere = async (): Promise<boolean> => {
      await page.clock.runFor(10)
      return waiting.isVisible()
    }
    await until(isThere, { what: 'the panel to wait' })
    expect(await waiting.getAttribute('data-state')).toBe('nothing')
    const isShown = async (state: string): Promise<boolean> =>
      (await waiting.getAttribute('data-state')) === state
    await page.clock.runFor(151)
    await until(() => isShown('skeleton'), { what: 'the skeleton' })
    await page.clock.runFor(250)
    await page.getByText('Starting documents…', { exact: true }).waitFor()
    await page.clock.runFor(2_600)
    await page.getByText('Starting documents… This takes longer than usual.').waitFor()
    await until(() => asked > 0, { what: 'the bank to be asked' })
    await page.clock.resume()
    await page.clock.fastForward('00:21')
    await page.getByText('The bank does not answer at the moment.').waitFor()
    await page.unroute(/\/api\/media\?/)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('You have no document yet.').waitFor()
  })

  test('while a part of a page is tried again, what stands below it stays in sight', async () => {
    const { page, go } = await web().visit({ as: customer })
    await page.clock.install()
    const type = 'https://microbank.dev/problems/not-found'
    const refusal = { status: 404, contentType: 'application/problem+json', json: { type } }
    let isRefused = true
    // After the refusal, no answer ever comes.
    await page.route(/\/api\/accounts\?/, (route) => (isRefused ? route.fulfill(refusal) : undefined))
    await go('/payments')
    const below = page.getByText('You have no payments yet.')
    await below.waitFor()
    isRefused = false
    await page.clock.pauseAt((await page.evaluate<number>('Date.now()')) + 60_000)
    await page.getByRole('button', { name: 'Try again' }).click()
    const isTried = async (): Promise<boolean> => {
      await page.clock.runFor(10)
      return page.locator('[aria-busy=true]').isVisible()
    }
    await until(isTried, { what: 'the panel to wait' })
    expect(await below.isVisible()).toBe(true)
  })

  test('offline, a page that was never opened says so, and comes once the network is back', async () => {
    const { page, context, go } = await web().visit({ as: customer })
    await watchWithAxe(context)
    await go('/')
    await context.setOffline(true)
    await page.getByText('Offline. What you see is from').waitFor()
    await page.getByRole('link', { name: 'Documents' }).click()
    await page.getByRole('heading', { name: 'This page could not be shown.' }).waitFor()
    expect(await violationsInThemes(page)).toEqual([])
    expect(await page.getByRole('button', { name: 'Load it again' }).isDisabled()).toBe(true)
    await context.setOffline(false)
    await page.getByRole('button', { name: 'Load it again' }).click()
    await page.getByRole('heading', { name: 'Documents' }).waitFor()
  })

  test.each([
    ['/', 'Offline. What you see is from'],
    ['/move', 'You are offline. Nothing is sent.'],
    ['/payments', 'You are offline. Nothing is sent.'],
  ])('offline, %s says so, and axe finds nothing in either theme', async (path, said) => {
    const { page, context, go } = await web().visit({ as: customer })
    await watchWithAxe(context)
    await go(path)
    await context.setOffline(true)
    await page.getByText(said).first().waitFor()
    expect(await violationsInThemes(page)).toEqual([])
  })
}
