import type { Page } from 'playwright-core'
import { until } from '../../support/until.ts'
import { ready } from '../support/browser.ts'
import type { People } from './people.ts'

/** Something that somebody has opened, entered or been told on a page. */
export interface Scene {
  name: string
  /** The page: a path of routes.ts, or an address that is none. */
  path: string
  who: 'anyone' | 'customer' | 'operator'
  act(page: Page, people: People): Promise<void>
  /** Set if its window is of no use for other pages. */
  spoils?: boolean
}

/** Answers the posts of money, or gives none. */
const posts = (page: Page, answer: 'none' | { status: number; type: string; retryAfter?: number }) =>
  page.route('**/api/transactions', (route) => {
    if (route.request().method() !== 'POST') return route.fallback()
    if (answer === 'none') return route.abort()
    const { status, type, retryAfter } = answer
    return route.fulfill({
      status,
      contentType: 'application/problem+json',
      headers: retryAfter ? { 'retry-after': String(retryAfter) } : {},
      json: { type: `https://microbank.dev/problems/${type}`, title: type, status },
    })
  })

/** Both languages are looked at, so what is pressed is named in both. */
const press = (page: Page, name: RegExp): Promise<void> => page.getByRole('button', { name }).first().click()

const REVIEW = /^(Review|Prüfen)$/

/** Enters a payment to somebody else, and goes to the review. */
async function reviewPayment(page: Page, { theirNumber }: People, amount: string): Promise<void> {
  await page.getByRole('radio', { name: /^(To somebody|An jemanden)$/ }).check()
  await page.getByLabel(/^(Account number or e-mail|Kontonummer oder E-Mail)/).fill(theirNumber)
  await page.getByLabel(/^(Amount|Betrag)/).fill(amount)
  await press(page, REVIEW)
  await page.locator('h2[tabindex]').waitFor()
  await ready(page)
  await page.getByText(/^(Balance afterwards|Kontostand danach|Not sent|Nicht gesendet)/).waitFor()
}

const send = (page: Page): Promise<void> => press(page, /^(Send .*|.* senden)$/)

/** Opens another address of the bank. */
const open =
  (address: string): Scene['act'] =>
  async (page) => {
    await page.goto(new URL(address, page.url()).href)
    await ready(page)
  }

const menu: Scene['act'] = async (page) => {
  await press(page, /^(You|Sie)$/)
  await page.locator('#user-menu').waitFor()
}

const search =
  (words: string): Scene['act'] =>
  async (page) => {
    await press(page, /^(Search|Suche)$/)
    await page.getByRole('combobox').fill(words)
    await page.getByRole('option').first().waitFor()
    await page.getByRole('status').filter({ hasText: /\d/ }).first().waitFor()
  }

export const scenes: readonly Scene[] = [
  { name: 'nowhere', path: '/nowhere', who: 'customer', act: () => Promise.resolve() },
  {
    name: 'no-session',
    path: '/',
    who: 'customer',
    async act(page) {
      await page.route('**/api/session', (route) =>
        route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          headers: { 'retry-after': '60' },
          json: { type: 'https://microbank.dev/problems/unavailable', title: 'Unavailable', status: 503 },
        }),
      )
      await page.reload()
      await page.getByRole('alert').waitFor()
    },
  },
  { name: 'menu', path: '/', who: 'customer', act: menu },
  { name: 'menu', path: '/engine/mail', who: 'operator', act: menu },
  { name: 'search', path: '/', who: 'customer', act: search('rain') },
  { name: 'search', path: '/office', who: 'operator', act: search('trans') },
  {
    name: 'calls',
    path: '/',
    who: 'customer',
    async act(page) {
      await page.keyboard.press('Control+.')
      await page.getByRole('complementary').locator('li').first().waitFor()
    },
  },
  {
    name: 'opening',
    path: '/',
    who: 'customer',
    act: (page) => press(page, /^(Open an account|Konto eröffnen)$/),
  },
  {
    name: 'refused',
    path: '/sign-in',
    who: 'anyone',
    async act(page) {
      await page.getByLabel('E-Mail').fill('ada@example.com')
      await page.getByLabel(/^(Password|Passwort)/).fill('two blue herons')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'faults',
    path: '/sign-up',
    who: 'anyone',
    async act(page) {
      await page.getByLabel('Name').fill('Ada')
      await page.getByLabel('E-Mail').fill('ada@example.com')
      await page.getByLabel(/^(Password|Passwort)/).fill('short')
      await page.keyboard.press('Enter')
      await page.locator('[data-invalid]').first().waitFor()
    },
  },
  {
    name: 'filter',
    path: '/accounts/:id',
    who: 'customer',
    async act(page) {
      await page.locator('summary').first().click()
      await page.locator('input[type=date]').last().waitFor()
    },
  },
  {
    name: 'rename',
    path: '/accounts/:id',
    who: 'customer',
    act: (page) => press(page, /^(Rename|Umbenennen)$/),
  },
  {
    name: 'review',
    path: '/move',
    who: 'customer',
    act: (page, people) => reviewPayment(page, people, '12'),
  },
  {
    name: 'too-much',
    path: '/move',
    who: 'customer',
    act: (page, people) => reviewPayment(page, people, '9999999999'),
  },
  {
    name: 'no-answer',
    path: '/move',
    who: 'customer',
    async act(page, people) {
      await posts(page, 'none')
      await reviewPayment(page, people, '13')
      await send(page)
      await page.getByText(/^(No answer yet|Noch keine Antwort)$/).waitFor()
    },
  },
  {
    name: 'too-many',
    path: '/move',
    who: 'customer',
    async act(page, people) {
      await posts(page, { status: 429, type: 'too-many-requests', retryAfter: 120 })
      await reviewPayment(page, people, '14')
      await send(page)
      await page.getByRole('alert').waitFor()
    },
  },
  {
    name: 'done',
    path: '/move',
    who: 'customer',
    async act(page, people) {
      await reviewPayment(page, people, '15.05')
      await send(page)
      await page.getByText(/^(Sent .*|.* gesendet)$/).waitFor()
    },
  },
  {
    name: 'confirm',
    path: '/payments',
    who: 'customer',
    async act(page, { theirNumber }) {
      await page.getByLabel(/^(Account number or e-mail|Kontonummer oder E-Mail)/).fill(theirNumber)
      await page.getByLabel(/^(Amount|Betrag)/).fill('16')
      await press(page, /^(Check|Prüfen)$/)
      await page.getByText(/^(Set aside .*\?|.* reservieren\?)/).waitFor()
    },
  },
  {
    name: 'checked',
    path: '/payouts',
    who: 'customer',
    async act(page) {
      const rows = [
        'ada@example.com,10.00,Wages for November',
        'ada@example.com,10,Wages for November',
        'nobody.with.a.very.long.address.indeed@an-equally-long-domain.example.com,1234.50,谢谢',
        'not an address,1,',
      ]
      await page.locator('textarea').fill(rows.join('\n'))
      await press(page, /^(Check the rows|Zeilen prüfen)$/)
      await page.getByText('▲').first().waitFor()
    },
  },
  {
    name: 'dates',
    path: '/orders/new',
    who: 'customer',
    async act(page, { theirNumber }) {
      await page.getByLabel(/^(To|An)/).fill(theirNumber)
      await page.getByLabel(/^(Amount|Betrag)/).fill('17.50')
      await press(page, /^(Show the dates|Termine anzeigen)$/)
      await page.locator('ol time').first().waitFor()
    },
  },
  {
    name: 'idle',
    path: '/office',
    who: 'operator',
    spoils: true,
    async act(page) {
      // The clock of the whole window runs ahead.
      await page.clock.install()
      await page.reload()
      await ready(page)
      await page.clock.fastForward('13:30')
      await page.getByRole('button', { name: /^(Stay signed in|Angemeldet bleiben)$/ }).waitFor()
    },
  },
  {
    name: 'group',
    path: '/office/dead-letters',
    who: 'operator',
    async act(page) {
      await page.getByRole('heading', { level: 3 }).getByRole('link').first().click()
      await page
        .getByRole('button', { name: /^(Discard…|Verwerfen …)$/ })
        .first()
        .click()
      await ready(page)
    },
  },
  {
    name: 'close',
    path: '/office/accounts/:id',
    who: 'operator',
    act: (page) => press(page, /^(Close|Schließen)$/),
  },
  {
    name: 'found',
    path: '/office/customers',
    who: 'operator',
    async act(page) {
      await page.getByRole('searchbox').or(page.getByRole('textbox')).first().fill('Wilhelmina')
      await page.keyboard.press('Enter')
      await page.getByText(/^(Found|Gefunden)$/).waitFor()
      await ready(page)
    },
  },
  {
    name: 'table',
    path: '/engine',
    who: 'operator',
    act: open('/engine?view=table'),
  },
  {
    name: 'function',
    path: '/engine',
    who: 'operator',
    act: open('/engine?function=transfer'),
  },
  {
    // While the transfer runs: what wakes and what is busy.
    name: 'transfer',
    path: '/engine',
    who: 'operator',
    async act(page) {
      // The page stays on the map, with the picture of the moment after the transfer.
      const made = page.waitForResponse(
        (answer) => answer.request().method() === 'POST' && answer.url().endsWith('/api/transactions'),
      )
      await page.route('**/life', (route) => void route)
      await press(page, /^(Make a transfer|Überweisen)$/)
      await made
      await page.waitForURL(/transfers/)
      await page.goBack()
      await ready(page)
    },
  },
  {
    name: 'run',
    path: '/engine/lab',
    who: 'operator',
    async act(page) {
      await page.getByRole('combobox').first().selectOption('delivered-five-times')
      await page.locator('input[name=seconds]').fill('5')
      await press(page, /^(Break it|Kaputtmachen)$/)
      const over = page.getByText(/^(All of it|Something|Nothing moved|Alles hat|Etwas hat|Nichts hat sich)/)
      await until(async () => (await over.count()) > 0, { timeoutMs: 240_000, what: 'the run to end' })
    },
  },
]
