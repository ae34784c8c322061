import { allRoutes } from './all-routes.journey.ts'
import { oneAccount } from './account.journey.ts'
import { movingMoney } from './move.journey.ts'
import { signUpAndIn } from './sign-in.journey.ts'
import { startWeb, type Web } from './support/browser.ts'

/** The pages in a real browser, over a whole bank. The journeys share both, so each has customers of its
 * own. */

let web: Web
beforeAll(async () => {
  web = await startWeb()
})
afterEach(() => web.leave())
afterAll(() => web?.stop())

describe('signing up and in', () => signUpAndIn(() => web))
describe('one account', () => oneAccount(() => web))
describe('moving money', () => movingMoney(() => web))
describe('every page', () => allRoutes(() => web))
