import type { AddressInfo } from 'node:net'
import { simpleParser, type ParsedMail } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { certificate } from '../../../tests/support/certificate.ts'
import { until } from '../../../tests/support/until.ts'

export interface MailServer {
  /** With these, a bank sends its mails there: the certificate is that of its authority, as PEM. */
  settings: { SMTP_URL: string; SMTP_CA: string }
  mails: { mail: ParsedMail; raw: string; from: string; to: string[]; isEncrypted: boolean }[]
  /** What it says to the next mails, in place of taking them. */
  refusals: { at: 'recipient' | 'data'; code: number; text: string }[]
  /** While true, it takes mails and does not say so. */
  isSilent: boolean
  /** Resolves with the token in the last link for a page that was mailed to an address, once there is one. */
  tokenTo(email: string, page: string): Promise<string>
  stop(): Promise<void>
}

/** Starts a real mail server. It offers STARTTLS and wants user `bank` with password `p@ss:word`. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const { key, cert } = certificate()
  const mails: MailServer['mails'] = []
  const refusals: MailServer['refusals'] = []
  const state = { isSilent: false }
  const refusal = (at: string): Error | undefined => {
    if (refusals[0]?.at !== at) return undefined
    const { code, text } = refusals.shift()!
    return Object.assign(new Error(text), { responseCode: code })
  }
  const server = new SMTPServer({
    ...{ key, cert, authOptional: false },
    onAuth: ({ username, password }, _session, done) =>
      username === 'bank' && password === 'p@ss:word'
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    onRcptTo: (_address, _session, done) => done(refusal('recipient')),
    onData(stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const refused = refusal('data')
        if (refused) return done(refused)
        const raw = Buffer.concat(parts)
        const { mailFrom, rcptTo } = session.envelope
        void simpleParser(raw).then((mail) => {
          mails.push({
            ...{ mail, raw: raw.toString() },
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            isEncrypted: session.secure,
          })
          if (!state.isSilent) done()
        })
      })
    },
    ...options,
  })
  // A client that leaves in the middle is no fault of the server.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return Object.assign(state, {
    settings: { SMTP_URL: `smtp://bank:p%40ss%3Aword@localhost:${port}`, SMTP_CA: cert },
    mails,
    refusals,
    tokenTo: (email: string, page: string) =>
      until(
        () =>
          mails
            .filter(({ to }) => to.includes(email))
            .flatMap(
              ({ mail }) => new RegExp(`/${page}#token=([\\w-]{64})\\s`).exec(mail.text ?? '')?.[1] ?? [],
            )
            .at(-1),
        { what: `a mail with a link for ${page}` },
      ),
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  })
}
