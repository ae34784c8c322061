import { startMailServer, type MailServer } from '../../functions/notifications/testing/mail-server.ts'
import { allRoutes } from './all-routes.journey.ts'
import { coldStartsAndEvents } from './cold-starts.journey.ts'
import { disputes } from './disputes.journey.ts'
import { engineRoom, firstLook } from './engine.journey.ts'
import { oneAccount } from './account.journey.ts'
import { discarding, publishPoison, redriving } from './dead-letters.journey.ts'
import { movingMoney } from './move.journey.ts'
import { profile } from './me.journey.ts'
import { otherStates } from './other-states.journey.ts'
import { ledgerHealth } from './ledger-health.journey.ts'
import { customers } from './customers.journey.ts'
import { payouts } from './payouts.journey.ts'
import { inbox } from './inbox.journey.ts'
import { breakingIt } from './lab.journey.ts'
import { searching } from './search.journey.ts'
import { signUpAndIn } from './sign-in.journey.ts'
import { startWeb, type Web } from './support/browser.ts'

/** The pages in a real browser, over a whole bank. The journeys share both, so each has customers of its
 * own. */

let web: Web
let mail: MailServer
let poison: string[]
beforeAll(async () => {
  mail = await startMailServer()
  web = await startWeb({ env: { MESSAGE_CHANNELS: 'email', ...mail.settings } })
  poison = await publishPoison(web.bank)
})
afterEach(() => web.leave())
afterAll(async () => {
  await web?.stop()
  await mail?.stop()
})

describe('the first look', () => firstLook(() => web))
describe('signing up and in', () => signUpAndIn(() => web))
describe('search and the demo customer', () => searching(() => web))
describe('one account', () => oneAccount(() => web))
describe('moving money', () => movingMoney(() => web))
describe('dead letters', () => redriving(() => web))
describe('the profile', () =>
  profile(
    () => web,
    () => mail,
  ))
describe('messages, orders and documents', () => inbox(() => web))
describe('cold starts and events', () => coldStartsAndEvents(() => web))
describe('the customers of the Back office', () => customers(() => web))
describe('disputes', () => disputes(() => web))
describe('the health of the ledger', () => ledgerHealth(() => web))
describe('the Engine room', () => engineRoom(() => web))
describe('the lab', () => breakingIt(() => web))
describe('payouts', () => payouts(() => web))
describe('every page', () => allRoutes(() => web))
describe('other states', () => otherStates(() => web))
describe('dead letters that came back', () =>
  discarding(
    () => web,
    () => poison,
  ))
