import type { Config } from '../../host/config.ts'
import { linkToken } from '../../host/link-token.ts'
import { templatesOf } from '../templates/templates.ts'
import type { Email, MessageLink, OutgoingMessage, SendOutcome } from './outgoing.ts'
import { emailHtml } from './email-html.ts'
import { onLines } from './plain.ts'

/** As identity takes addresses. Anything else is not given to a mail server. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$/

/** Sends a message as an email in plain text and HTML. */
export async function sendEmail(message: OutgoingMessage, config: Config): Promise<SendOutcome> {
  if (!config.SMTP_URL) return { outcome: 'later', answer: 'SMTP_URL is not set' }
  // The event of the registration may come after this message.
  if (message.to === null) return { outcome: 'later', answer: 'no email address is known yet' }
  if (!ADDRESS.test(message.to)) return { outcome: 'failed', answer: 'the email address is not valid' }
  if (message.link && message.link.expiresAt.getTime() <= Date.now())
    return { outcome: 'failed', answer: 'the link has expired' }
  const token = message.link && linkToken(config.LINK_KEY, message.link.purpose, message.link.id)
  const link = message.link && token && urlOf(message.link, token, config)
  const { sendOverSmtp } = await import('./smtp.ts')
  const attempt = await sendOverSmtp(toEmail(message, message.to, link, config), config)
  // The answer is stored, and a server may repeat in it what it did not like.
  return token ? { ...attempt, answer: attempt.answer.replaceAll(token, '(token)') } : attempt
}

/** Where a link leads. The token is behind the #: browsers send that part to no server, so it gets into no
 * log and no Referer. */
const urlOf = ({ purpose }: MessageLink, token: string, { PUBLIC_URL }: Config): string =>
  `${PUBLIC_URL.replace(/\/+$/, '')}/${purpose}#token=${token}`

function toEmail(
  message: OutgoingMessage,
  to: string,
  link: string | null,
  { MAIL_FROM: from }: Config,
): Email {
  const { greeting, footer } = templatesOf(message.language).email
  const paragraphs = [greeting(message.name), onLines(message.text)]
  return {
    // The same for each attempt, so a reader’s mailbox can tell that it has the message already.
    messageId: `<${message.id}@${from.address.split('@')[1]}>`,
    date: message.createdAt,
    from,
    to: { name: message.name, address: to },
    subject: message.title,
    text: `${[...paragraphs, ...(link ? [link] : []), `--\n${footer}`].join('\n\n')}\n`,
    html: emailHtml({ language: message.language, title: message.title, paragraphs, link, footer }),
  }
}
