import { createTransport } from 'nodemailer'
import type { Config } from '../../host/config.ts'
import type { Email, SendOutcome } from './outgoing.ts'

/** How long a mail server may take for all steps together. */
const SEND_MS_MAX = 20_000

/** Sends an email over SMTP, on a connection of its own: one that is kept open can break just before it is
 * used. Without TLS nothing is sent, unless SMTP_TLS is none. */
export async function sendOverSmtp(email: Email, config: Config): Promise<SendOutcome> {
  const transport = createTransport(optionsOf(config))
  // True from when the connection has taken the last byte of the mail.
  let isGiven = false
  transport.use('stream', ({ message }, done) => {
    const read = message.createReadStream.bind(message)
    // Not earlier in the stream: a short mail ends there before the server has agreed to take it.
    message.createReadStream = (options) => read(options).once('end', () => (isGiven = true))
    done()
  })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), SEND_MS_MAX)
  try {
    const { response } = await Promise.race([
      transport.sendMail({
        ...email,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        disableFileAccess: true,
        disableUrlAccess: true,
      }),
      new Promise<never>((_, reject) =>
        late.signal.addEventListener('abort', () => reject(new Error(`no answer within ${SEND_MS_MAX} ms`))),
      ),
    ])
    return { outcome: 'sent', answer: response }
  } catch (error) {
    return attemptOf(error as SmtpError, isGiven)
  } finally {
    clearTimeout(timer)
    transport.close()
  }
}

function optionsOf({ SMTP_URL: url, SMTP_TLS: tls, SMTP_CA: ca, MESSAGE_TIMEOUT_MS: stepMs }: Config) {
  const { protocol, hostname, port, username, password } = url!
  const isSecure = protocol === 'smtps:'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (isSecure ? 465 : 587),
    secure: isSecure,
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    tls: { minVersion: 'TLSv1.2' as const, ...(ca && { ca }) },
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    dnsTimeout: stepMs,
  }
}

interface SmtpError extends Error {
  /** The server's status. */
  responseCode?: number
  response?: string
  /** What it was the answer to. */
  command?: string
}

/** A 5xx about this recipient or this message is final (RFC 5321, 4.2.1). Everything else is about the
 * connection, the log-in or the sender, and an operator can mend it. */
function attemptOf(
  { responseCode = 0, response, command = '', message }: SmtpError,
  isGiven: boolean,
): SendOutcome {
  if (isGiven && responseCode === 0) return { outcome: 'unsure', answer: message }
  const isFinal = responseCode >= 500 && /^(RCPT TO|DATA)/.test(command)
  return { outcome: isFinal ? 'failed' : 'later', answer: response ?? message }
}
