import webPush from 'web-push'
import { startMailServer, type MailServer } from '../../functions/notifications/testing/mail-server.ts'
import { startProvider, type TestProvider } from '../../functions/notifications/testing/provider.ts'
import { startReceiver, type Receiver } from '../../functions/payments/web-hooks/web-hooks-fixture.ts'
import { loginOperator, startBank, type Bank } from './bank.ts'
import { registerCustomer, type Customer } from './customers.ts'

/** A bank with two customers, whose messages arrive. */
export interface LivelyBank {
  bank: Bank
  mail: MailServer
  /** Takes text messages and pushes. */
  provider: TestProvider
  /** Takes what web hooks post. */
  receiver: Receiver
  /** An operator's access token. */
  operator: string
  /** She has 1000.00 on `checking`, and `savings` besides. */
  ada: Customer
  checking: string
  savings: string
  /** He has the account `bobs`. */
  bob: Customer
  bobs: string
  stop(): Promise<void>
}

/** Starts it with these channels, as the setting MESSAGE_CHANNELS has them. */
export async function startLivelyBank(channels: string): Promise<LivelyBank> {
  const [mail, provider, receiver] = await Promise.all([startMailServer(), startProvider(), startReceiver()])
  const vapid = webPush.generateVAPIDKeys()
  let bank: Bank | undefined
  const stop = async (): Promise<void> => {
    await bank?.stop()
    await Promise.all([mail.stop(), provider.stop(), receiver.close()])
  }
  try {
    bank = await startBank({
      env: {
        MESSAGE_CHANNELS: channels,
        ...mail.settings,
        SMS_URL: `${provider.url}/sms`,
        PUSH_SERVICES: provider.url,
        VAPID_PUBLIC_KEY: vapid.publicKey,
        VAPID_PRIVATE_KEY: vapid.privateKey,
        VAPID_SUBJECT: 'mailto:operator@bank.example',
      },
    })
    const operator = await loginOperator(bank)
    const [ada, bob] = [await registerCustomer(bank), await registerCustomer(bank)]
    const [checking, savings] = [await ada.openAccount('checking'), await ada.openAccount('savings')]
    const bobs = await bob.openAccount('checking')
    await ada.transact({ type: 'deposit', account_id: checking, amount: '1000.00' })
    return { bank, mail, provider, receiver, operator, ada, checking, savings, bob, bobs, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
