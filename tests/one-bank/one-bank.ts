import { startS3, type TestS3 } from '../../functions/documents/testing/s3-fixture.ts'
import { startMailServer, type MailServer } from '../../functions/notifications/testing/mail-server.ts'
import { startBank, type Bank } from '../support/bank.ts'

/** A bank that many parts of one suite share, with the servers that it calls. */
export interface OneBank {
  bank: Bank
  mail: MailServer
  s3: TestS3
  stop(): Promise<void>
}

export async function startOneBank(): Promise<OneBank> {
  const [mail, s3] = await Promise.all([startMailServer(), startS3()])
  let bank: Bank | undefined
  const stop = async (): Promise<void> => {
    await bank?.stop()
    await Promise.all([mail.stop(), s3.kill()])
  }
  try {
    bank = await startBank({
      env: { LOG_LEVEL: 'debug', MESSAGE_CHANNELS: 'email,webhook', ...mail.settings, ...s3.env },
    })
    return { bank, mail, s3, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
