import { randomUUID } from 'node:crypto'
import { registerCustomer } from '../support/customers.ts'
import { endSession, PASSWORD, signInAgain, type Web } from './support/browser.ts'

export function signUpAndIn(web: () => Web): void {
  test('A7: somebody signs up after a refused password, opens an account, and finds the call in the drawer', async () => {
    const { page, go } = await web().visit()
    await go('/')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await page.getByRole('link', { name: 'Sign up' }).click()
    await page.getByLabel('Name').fill('Ada')
    await page.getByLabel('E-mail').fill(`${randomUUID()}@example.com`)
    await page.getByLabel('Password').fill('too short')
    await page.keyboard.press('Enter')
    await page.getByText('Use at least 12 characters.').waitFor()
    // The field with the fault has the focus.
    expect(await page.locator(':focus').getAttribute('name')).toBe('password')
    await page.getByLabel('Name').fill('A\u202eda')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByText('Write without control characters').waitFor()
    await page.getByLabel('Name').fill('Ada')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    await page.getByText('You have no account yet.').waitFor()
    await page.getByRole('button', { name: 'Open an account' }).click()
    await page.getByRole('button', { name: 'Open it' }).click()
    await page.getByRole('link', { name: 'Checking account' }).waitFor()
    await page.keyboard.press('Control+.')
    const drawer = page.getByRole('complementary', { name: 'API calls of this page' })
    await drawer.getByText('POST /api/accounts').waitFor()
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
  })

  test('a wrong password is told in words; the right one leads to the page that was asked for', async () => {
    const { email } = await registerCustomer(web().bank)
    const { page, go } = await web().visit({ locale: 'de-DE' })
    await go('/?from=a-link')
    await page.getByLabel('E-Mail').fill(email)
    await page.getByLabel('Passwort').fill('no such password')
    await page.keyboard.press('Enter')
    await page.getByText('Die E-Mail-Adresse oder das Passwort stimmt nicht.').waitFor()
    await page.getByLabel('Passwort').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Ihre Konten' }).waitFor()
    expect(new URL(page.url()).search).toBe('?from=a-link')
    await page.reload()
    await page.getByRole('heading', { name: 'Ihre Konten' }).waitFor()
  })

  test('signing out reaches every tab, and the page of a customer needs a session again', async () => {
    const as = await registerCustomer(web().bank)
    const { page, context, go } = await web().visit({ as })
    await go('/')
    const other = await context.newPage()
    await other.goto(web().bank.url)
    await other.getByRole('heading', { name: 'Your accounts' }).waitFor()
    // If one tab signs in again, the other is loaded anew, with what was entered there.
    await other.getByRole('button', { name: 'Open an account' }).click()
    await other.getByLabel('Kind').selectOption('savings')
    await endSession(context)
    await page.getByRole('link', { name: 'Documents' }).click()
    const loaded = other.waitForEvent('load')
    await signInAgain(page, as)
    await page.getByRole('heading', { name: 'Documents' }).waitFor()
    await loaded
    await other.getByRole('button', { name: 'Open it' }).waitFor()
    expect(await other.getByLabel('Kind').inputValue()).toBe('savings')
    await page.getByRole('button', { name: 'You', exact: true }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    for (const each of [page, other]) await each.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await other.evaluate('sessionStorage.length')).toBe(0)
    // Whoever comes next finds no call of theirs.
    await page.keyboard.press('Control+.')
    const drawer = page.getByRole('complementary', { name: 'API calls of this page' })
    await drawer.waitFor()
    expect(await drawer.getByText('/api/accounts').count()).toBe(0)
    await signInAgain(page, as)
    await other.getByRole('heading', { name: 'Your accounts' }).waitFor()
  })

  test('what was entered when the session ended is there again: for its user, and without passwords', async () => {
    const { bank } = web()
    const [as, other] = [await registerCustomer(bank), await registerCustomer(bank)]
    const { page, context, go } = await web().visit({ as })
    await go('/me')
    const kept = (): Promise<string> => page.evaluate('JSON.stringify(sessionStorage)')
    const address = page.getByRole('region', { name: 'E-mail' })
    const enter = async (): Promise<void> => {
      await page.getByLabel('Name').fill('Ada Lovelace')
      await address.getByLabel('New e-mail').fill('ada@example.com')
      await address.getByLabel('Current password').fill('my secret')
      await endSession(context)
      await address.getByRole('button', { name: 'Change e-mail' }).click()
      await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    }
    await enter()
    expect(await kept()).toContain('ada@example.com')
    expect(await kept()).not.toContain('my secret')
    await signInAgain(page, as)
    await address.getByLabel('New e-mail').waitFor()
    expect([
      await page.getByLabel('Name').inputValue(),
      await address.getByLabel('New e-mail').inputValue(),
      await address.getByLabel('Current password').inputValue(),
      await kept(),
    ]).toEqual(['Ada Lovelace', 'ada@example.com', '', '{}'])

    await enter()
    await signInAgain(page, other)
    await address.getByText(other.email).waitFor()
    expect([await address.getByLabel('New e-mail').inputValue(), await kept()]).toEqual(['', '{}'])
  })

  test('the session goes on by itself when the access cookie is gone', async () => {
    const as = await registerCustomer(web().bank)
    const { page, context, go } = await web().visit({ as })
    const cookies = await context.cookies()
    const access = cookies.find(({ name }) => name.includes('access'))!
    await context.clearCookies({ name: access.name })
    await go('/')
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    expect((await context.cookies()).map(({ name }) => name)).toContain(access.name)
  })

  test('a function’s own host serves no page and takes no cookie', async () => {
    const { bank } = web()
    const { context } = await web().visit({ as: await registerCustomer(bank) })
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const headers = { cookie, accept: 'text/html' }
    expect((await bank.call('GET', '/api/accounts', { headers: { cookie } })).status).toBe(200)
    const own = await bank.callHost('accounts', 'GET', '/accounts', { headers })
    expect([own.status, own.headers.get('content-type')]).toEqual([401, 'application/problem+json'])
  })

  test('who can’t renew the session because identity is away is still signed in', async () => {
    const as = await registerCustomer(web().bank)
    const { page, context } = await web().visit({ as })
    await context.clearCookies({ name: /access/ })
    await page.clock.install()
    await page.route('**/api/session/refresh', (route) =>
      route.fulfill({ status: 503, headers: { 'retry-after': '600' }, json: {} }),
    )
    await page.goto(`${web().bank.url}/?from=a-link`)
    await page.getByRole('alert').waitFor()
    // It counts down until then.
    await page.getByText(/^Try again in \d+ seconds\.$/).waitFor()
    await page.clock.fastForward('10:01')
    await page.getByText('Try again now.').waitFor()
    await page.unroute('**/api/session/refresh')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    expect(new URL(page.url()).search).toBe('?from=a-link')
  })
}
