import { randomUUID } from 'node:crypto'
import type { Locator, Route } from 'playwright-core'
import { Webhook } from 'standardwebhooks'
import type { MailServer } from '../../functions/notifications/testing/mail-server.ts'
import { startReceiver } from '../../functions/payments/web-hooks/web-hooks-fixture.ts'
import { registerCustomer } from '../support/customers.ts'
import { until } from '../support/until.ts'
import { PASSWORD, type Web } from './support/browser.ts'

export function profile(web: () => Web, mail: () => MailServer): void {
  const NEW = 'four grey herons'

  test('somebody changes name and address, confirms it by the mailed link, and the token leaves the address bar', async () => {
    const as = await registerCustomer(web().bank)
    const email = `${randomUUID()}@example.com`
    const { page, go } = await web().visit({ as })
    await go('/me')
    await page.getByLabel('Name').fill('Ada Lovelace')
    const sent = page.waitForRequest((request) => request.method() === 'PATCH')
    await page.getByRole('button', { name: 'Save' }).click()
    expect((await sent).headers()['session-user']).toBe(as.id)
    await page.getByText('Saved.').waitFor()
    const address = page.getByRole('region', { name: 'E-mail' })
    await address.getByLabel('New e-mail').fill(email)
    await address.getByLabel('Current password').fill('a guess')
    await address.getByRole('button', { name: 'Change e-mail' }).click()
    await address.getByText('The current password is wrong.').waitFor()
    await address.getByLabel('Current password').fill(PASSWORD)
    await address.getByRole('button', { name: 'Change e-mail' }).click()
    await address.getByText(email).waitFor()
    await address.getByText('Not confirmed yet.').waitFor()

    await go(`/confirm-email#token=${await mail().tokenTo(email, 'confirm-email')}`)
    expect(page.url()).not.toContain('token')
    await page.getByRole('button', { name: 'Confirm my e-mail' }).click()
    await page.getByText('Your e-mail is confirmed.').waitFor()
    await page.getByRole('link', { name: 'Go to your accounts' }).click()
    await page.getByRole('heading', { name: 'Your accounts' }).waitFor()
    await go('/me')
    await address.getByText('Confirmed', { exact: true }).waitFor()
  })

  test('another password signs out everywhere else; each session can be signed out by itself', async () => {
    const as = await registerCustomer(web().bank)
    const [here, there] = [await web().visit({ as }), await web().visit({ as })]
    await here.go('/me')
    const sessions = here.page.getByRole('table', { name: 'Where you are signed in' })
    const rows = sessions.getByRole('row').filter({ has: here.page.getByRole('cell') })
    // Of this browser, the other one, and the test's own client.
    await rows.nth(2).waitFor()
    const density = () => here.page.locator('html').getAttribute('data-density')
    await here.page.getByLabel('Rows of tables').selectOption('dense')
    expect(await density()).toBe('dense')
    await here.go('/me')
    expect(await density()).toBe('dense')
    await rows.nth(2).waitFor()
    expect(await rows.filter({ hasText: 'This browser' }).count()).toBe(1)
    await sessions
      .getByRole('button', { name: /^Sign out/ })
      .first()
      .click()
    await rows.nth(2).waitFor({ state: 'detached' })
    await here.page.getByLabel('Current password').last().fill(PASSWORD)
    await here.page.getByLabel('New password').fill(NEW)
    await here.page.getByRole('button', { name: 'Change password' }).click()
    await here.page.getByText('Changed. You are signed out everywhere else.').waitFor()
    await rows.nth(1).waitFor({ state: 'detached' })
    const cookies = await there.context.cookies()
    await there.context.clearCookies({ name: cookies.find(({ name }) => name.includes('access'))!.name })
    await there.go('/')
    expect(new URL(there.page.url()).pathname).toBe('/sign-in')
  })

  test('a forgotten password is chosen anew by a mailed link, once; the next link works in the same window', async () => {
    const { email } = await registerCustomer(web().bank)
    await web().bank.call('POST', '/api/auth/password-resets', { body: { email } })
    const first = await mail().tokenTo(email, 'new-password')
    const link = `/new-password#token=${first}`
    const { page, go } = await web().visit({ locale: 'de-DE' })
    await go(link)
    expect(page.url()).not.toContain('token')
    await page.getByLabel('Neues Passwort').fill('zu kurz')
    await page.keyboard.press('Enter')
    await page.getByText('Verwenden Sie mindestens 12 Zeichen.').waitFor()
    await page.getByLabel('Neues Passwort').fill(NEW)
    await page.keyboard.press('Enter')
    await page.getByText('Ihr Passwort ist gespeichert.').waitFor()
    await page.getByRole('link', { name: 'Anmelden' }).click()
    await page.getByLabel('E-Mail').fill(email)
    await page.getByLabel('Passwort').fill(NEW)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Ihre Konten' }).waitFor()

    const again = await web().visit()
    await again.go(link)
    await again.page.getByLabel('New password').fill(PASSWORD)
    await again.page.keyboard.press('Enter')
    await again.page.getByText('This link has been used, or it is too old.').waitFor()
    // A second link in the same window loads no page: only what is behind the # is another.
    await web().bank.call('POST', '/api/auth/password-resets', { body: { email } })
    const next = await until(
      async () => {
        const token = await mail().tokenTo(email, 'new-password')
        return token !== first && token
      },
      { what: 'the mail with the next link' },
    )
    await again.go(`/new-password#token=${next}`)
    await again.page.getByLabel('New password').fill(PASSWORD)
    await again.page.keyboard.press('Enter')
    await again.page.getByText('Your password is saved.').waitFor()
  })

  test('times are shown in UTC by a switch, which stays; days begin then as in UTC', async () => {
    const as = await registerCustomer(web().bank)
    const account = await as.openAccount('checking')
    await as.transact({ type: 'deposit', account_id: account, amount: '5.00' })
    const { items } = await as.bank.get('/api/accounts/{id}/entries', { params: { id: account } })
    const booked = items[0]!.timestamp
    const { page, go } = await web().visit({ as, timezoneId: 'Pacific/Kiritimati' })
    const time = page.locator(`time[datetime="${booked}"]`)
    await go(`/accounts/${account}`)
    // That zone is 14 hours ahead, all year.
    const here = new Date(Date.parse(booked) + 14 * 3_600_000).toISOString()
    expect(await time.innerText()).toBe(here.slice(11, 16))
    await go('/me')
    await page.getByRole('combobox', { name: 'Times' }).last().selectOption('In UTC')
    await page.reload()
    await go(`/accounts/${account}`)
    expect(await time.innerText()).toBe(`${booked.slice(11, 16)}\u00a0UTC`)
    const sent = page.waitForRequest(/\/entries\?.*from=/)
    await page.goto(`${web().bank.url}/accounts/${account}?from=2026-03-29`)
    expect(new URL((await sent).url()).searchParams.get('from')).toBe('2026-03-29T00:00:00.000Z')
  })

  test('an operator whom nobody sees is told before the session ends, can keep it, and is signed out', async () => {
    const { page, context, go } = await web().visit({ as: 'operator' })
    const { items } = (await (await context.request.get(`${web().bank.url}/api/sessions`)).json()) as {
      items: { is_current: boolean; continued_at: string; expires_at: string }[]
    }
    const own = items.find(({ is_current: isCurrent }) => isCurrent)!
    expect(Date.parse(own.expires_at) - Date.parse(own.continued_at)).toBe(15 * 60_000)
    await page.clock.install()
    await go('/office/customers')
    await page.getByLabel('Find a customer').fill('Ada in Berlin')
    // The clock of the page runs ahead of the bank's, which would take its token for a new one.
    const session = `${web().bank.url}/api/session`
    await page.route(session, (route) =>
      route.request().method() === 'GET' ? route.fulfill({ status: 401, json: {} }) : route.continue(),
    )
    // The first use, the opening, counts.
    const renewed = () => page.waitForResponse(/\/api\/session\/refresh$/)
    let renewal = renewed()
    await page.clock.fastForward('02:01')
    expect((await renewal).status()).toBe(200)
    await page.clock.fastForward('11:00')
    const note = page.getByText(
      /^You have not used the bank for a while. You will be signed out at \d\d:\d\d:\d\d\.$/,
    )
    await note.waitFor()
    renewal = renewed()
    await page.keyboard.press('Tab')
    await note.waitFor({ state: 'detached' })
    expect((await renewal).status()).toBe(200)
    await page.clock.fastForward('13:01')
    await note.waitFor()
    const ended = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    await page.clock.fastForward('02:01')
    await page.getByText('You were signed out because you had not used the bank for 15 minutes.').waitFor()
    expect([(await ended).status(), new URL(page.url()).search]).toEqual([204, '?next=%2Foffice%2Fcustomers'])
    // What they were entering waits for them.
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).toContain('Ada in Berlin')
    expect((await context.request.get(session)).status()).toBe(401)
  })

  test('who signs out while the session is renewed stays signed out, whatever that answers', async () => {
    const { page, context, go } = await web().visit({ as: 'operator' })
    await page.clock.install()
    await go('/office')
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    let isAnswered = false
    const answerLate = async (route: Route): Promise<void> => {
      await released
      await route.fulfill({ headers: { 'set-cookie': 'late=1; Path=/' }, json: {} }).catch(() => undefined)
      isAnswered = true
    }
    await page.route('**/api/session/refresh', answerLate, { times: 1 })
    const renewal = page.waitForRequest(/\/api\/session\/refresh$/)
    await page.clock.fastForward('02:01')
    await renewal
    await page.getByRole('button', { name: 'You', exact: true }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    release()
    await until(() => isAnswered, { what: 'the renewal to be answered' })
    await go('/sign-in')
    expect((await context.cookies()).map(({ name }) => name)).toEqual([])
  })

  test('a web hook is created, and its secret shown once; what it got is shown and posted again; it is paused and deleted', async () => {
    const as = await registerCustomer(web().bank)
    const account = await as.openAccount('checking')
    const deposit = (amount: string) => as.transact({ type: 'deposit', account_id: account, amount })
    const receiver = await startReceiver()
    const { page, go } = await web().visit({ as })
    const secretIn = async (place: Locator): Promise<string> =>
      place.getByRole('group', { name: 'Secret' }).locator('code').innerText()
    await go('/me')
    await page.getByRole('link', { name: 'Your web hooks' }).click()
    await page.getByText('You have no web hook yet.').waitFor()
    await page.getByRole('button', { name: 'New web hook' }).click()
    await page.getByLabel('URL').fill('ftp://example.com')
    await page.getByRole('button', { name: 'Create it' }).click()
    await page.getByText('Choose at least one event.').waitFor()
    expect(await page.locator(':focus').getAttribute('name')).toBe('types')
    await page.getByRole('checkbox', { name: 'transaction.completed' }).check()
    await page.getByRole('button', { name: 'Create it' }).click()
    await page.getByText('The URL must begin with https:// or http://.').waitFor()
    expect(await page.locator(':focus').getAttribute('name')).toBe('url')
    await page.getByLabel('URL').fill(receiver.url)
    await page.getByRole('button', { name: 'Create it' }).click()
    const hook = page.getByRole('list', { name: 'Web hooks' }).getByRole('listitem')
    const secret = await secretIn(hook)
    // Nothing but this page has it, and the next one has it no more.
    expect(await page.evaluate('JSON.stringify([sessionStorage, localStorage])')).not.toContain(secret)
    await page.reload()
    await hook.getByText(/^.Active$/).waitFor()
    expect(await page.getByText('whsec_').count()).toBe(0)

    receiver.answer = (response) => response.writeHead(500).end('not today')
    await deposit('1.23')
    const first = await until(() => receiver.received[0], { what: 'the event to be posted' })
    new Webhook(secret).verify(first.body, first.headers)
    await hook.getByText('What was posted').click()
    await hook.getByText('not today').waitFor()
    await hook.getByText(/^.Under way$/).waitFor()
    receiver.answer = (response) => response.writeHead(204).end()
    await hook.getByRole('button', { name: 'Post again' }).click()
    await hook.getByText(/^.Delivered$/).waitFor()
    expect(receiver.received[1]!.headers['webhook-id']).toBe(first.headers['webhook-id'])

    await hook.getByRole('button', { name: 'New secret' }).click()
    await hook.getByRole('button', { name: 'Make a new secret' }).click()
    await hook.getByText(/^Signed with two secrets until/).waitFor()
    const next = await secretIn(hook)
    expect(next).not.toBe(secret)
    await hook.getByRole('button', { name: 'Post again' }).click()
    const isSignedByBoth = (): boolean => {
      const { body, headers } = receiver.received.at(-1)!
      for (const each of [secret, next]) new Webhook(each).verify(body, headers)
      return true
    }
    await until(isSignedByBoth, { what: 'the event to be posted with both signatures' })

    await hook.getByRole('button', { name: 'Pause' }).click()
    await hook.getByText('Nothing is posted. What happens meanwhile is not kept for it.').waitFor()
    await hook.getByRole('button', { name: 'Resume' }).click()
    await hook.getByText(/^.Active$/).waitFor()
    await hook.getByRole('button', { name: 'Change' }).click()
    await page.getByRole('checkbox', { name: 'document.deleted' }).check()
    await page.getByRole('checkbox', { name: 'transaction.completed' }).uncheck()
    await page.getByRole('button', { name: 'Change' }).click()
    await page.getByLabel('URL').waitFor({ state: 'detached' })
    await hook.getByText('document.deleted', { exact: true }).waitFor()
    await hook.getByRole('button', { name: 'Delete' }).click()
    await hook.getByRole('button', { name: 'Yes, delete it' }).click()
    await page.getByText('You have no web hook yet.').waitFor()
    await receiver.close()
  })

  test('a profile is deleted after its accounts are closed, and not before', async () => {
    const as = await registerCustomer(web().bank)
    const account = await as.openAccount('checking')
    const { page, go } = await web().visit({ as })
    await go('/me')
    await page.getByRole('button', { name: 'Delete me' }).click()
    await page.getByRole('button', { name: 'Delete my profile' }).click()
    await page.getByRole('alert').getByText('Close all your accounts first.').waitFor()
    await as.bank.post('/api/accounts/{id}/close', { params: { id: account }, body: {} })
    await page.getByRole('button', { name: 'Delete my profile' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
}
