import type { Browser, BrowserContext, BrowserContextOptions, ConsoleMessage, Page } from 'playwright-core'
import { operatorOf, startBank, type Bank, type BankOptions } from '../../support/bank.ts'
import { registerCustomer, type Customer } from '../../support/customers.ts'
import { launchChromium } from '../../support/launch-chromium.ts'
import { until } from '../../support/until.ts'

/** What registerCustomer() gives everybody. */
export const PASSWORD = 'three blue herons'

/** As long as until() waits: 30 s are few for a machine that does much else. */
export const WAIT_MS = 90_000

const REFUSAL =
  /^(Failed to load resource: (the server responded|net::ERR_(FAILED|INTERNET_DIS))|Error: Unable to preload)/

/** Whether what a page logs is a fault. Chromium reports here what the policy forbids. It also logs each
 * answer of 400 and above, which is how refusals travel, and what a test has cut off. */
export const isFault = (message: ConsoleMessage): boolean =>
  message.type() === 'error' && !REFUSAL.test(message.text())

/** One bank and one browser, for all journeys of a suite. */
export interface Web {
  bank: Bank
  browser: Browser
  /** Opens a window of somebody who has never been here, or of `as`, signed in. */
  visit(options?: VisitOptions): Promise<Visit>
  /** The same, for many tests: leave() lets it stay. */
  stay(options?: VisitOptions): Promise<Visit>
  /** Takes what a test wanted pages to log out of what leave() throws for. Throws if nothing matches. */
  forgive(wanted: RegExp): void
  /** Closes all windows that visit() opened. Throws if a page in one of them logged an error or broke its
   * policy. */
  leave(): Promise<void>
  stop(): Promise<void>
}

export interface VisitOptions extends Pick<
  BrowserContextOptions,
  'colorScheme' | 'locale' | 'reducedMotion' | 'timezoneId' | 'viewport'
> {
  as?: Customer | 'operator'
}

export interface Visit {
  page: Page
  context: BrowserContext
  /** Opens an address of the bank and waits until all of its page is there. */
  go(path: string): Promise<void>
}

/** Starts a bank and Debian's Chromium. */
export async function startWeb(options?: BankOptions): Promise<Web> {
  const [bank, browser] = await Promise.all([startBank(options), launchChromium()])
  let contexts: BrowserContext[] = []
  let faults: string[] = []
  const open = async ({ as, ...given }: VisitOptions): Promise<Visit> => {
    const context = await browser.newContext({
      locale: 'en-GB',
      viewport: { width: 1280, height: 800 },
      ...given,
    })
    context.setDefaultTimeout(WAIT_MS)
    if (as) await signIn(context, bank, as)
    context.on('weberror', (error) => faults.push(error.error().stack ?? String(error.error())))
    context.on('console', (message) => isFault(message) && faults.push(message.text()))
    const page = await context.newPage()
    return {
      page,
      context,
      async go(path) {
        await page.goto(bank.url + path)
        await ready(page)
      },
    }
  }
  return {
    bank,
    browser,
    async visit(given = {}) {
      const visit = await open(given)
      contexts.push(visit.context)
      return visit
    },
    stay: (given = {}) => open(given),
    forgive(wanted) {
      const others = faults.filter((fault) => !wanted.test(fault))
      if (others.length === faults.length) throw new Error(`no page logged what matches ${wanted}`)
      faults = others
    },
    async leave() {
      const [left, seen] = [contexts, faults]
      contexts = []
      faults = []
      await Promise.all(left.map((context) => context.close()))
      if (seen.length > 0) throw new Error(`the pages logged errors:\n${seen.join('\n')}`)
    },
    async stop() {
      await browser.close()
      await bank.stop()
    },
  }
}

/** Waits until a page has its heading, and no part of it still waits for data. */
export async function ready(page: Page): Promise<void> {
  await page.locator('h1').waitFor()
  const busy = page.locator('[aria-busy=true]')
  await until(async () => (await busy.count()) === 0, { what: 'the page to have all its data' })
}

/** Waits for the second attempt of a call whose answers are lost, then lets the time pass after which the
 * page gives up. The page's clock must have been installed. */
export async function giveUp(page: Page, attempts: readonly unknown[]): Promise<void> {
  await until(() => attempts.length > 1, { what: 'a second attempt' })
  await page.clock.fastForward('01:01')
}

/** Signs in without a form. The cookies are the context's. */
export async function signIn(
  context: BrowserContext,
  bank: Pick<Bank, 'url' | 'output'>,
  as: Customer | 'operator',
): Promise<void> {
  const data = as === 'operator' ? operatorOf(bank) : { email: as.email, password: PASSWORD }
  const headers = { origin: bank.url }
  const answer = await context.request.post(`${bank.url}/api/session`, { headers, data })
  if (!answer.ok()) throw new Error(`signing in answered ${answer.status()}: ${await answer.text()}`)
}

/** Ends the session of a page that still shows it: the next call finds out. */
export const endSession = (context: BrowserContext): Promise<void> =>
  context.clearCookies({ name: /mb-(access|refresh)/ })

/** Signs in by the form that a page shows once its session has ended. */
export async function signInAgain(
  page: Page,
  { email, password = PASSWORD }: { email: string; password?: string },
): Promise<void> {
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
}

/** Writes an account number as pages do, in groups of four. */
export const inGroups = (number: string): string => number.replaceAll(/(?!^)(?=(?:\d{4})+$)/g, ' ')

/** Registers a customer with two accounts, a deposit of 900 and a transfer of 200 between them. */
export async function customerWithMoney(bank: Bank, description?: string) {
  const customer = await registerCustomer(bank)
  const [checking, savings] = [await customer.openAccount('checking'), await customer.openAccount('savings')]
  await customer.bank.post('/api/transactions', {
    body: { type: 'deposit', account_id: checking, amount: '900.00' },
  })
  const transfer = await customer.bank.post('/api/transactions', {
    body: {
      ...({ type: 'transfer', account_id: checking, to_account_id: savings, amount: '200.00' } as const),
      ...(description !== undefined && { description }),
    },
  })
  const { event_id: event } = await customer.bank.get('/api/transactions/{id}', {
    params: { id: transfer.id },
  })
  return { customer, checking, savings, transfer: transfer.id, event: event! }
}
