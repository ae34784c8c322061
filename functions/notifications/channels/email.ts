import type { Config } from '../../host/config.ts'
import { templatesOf } from '../templates/templates.ts'
import type { Email, OutgoingMessage, SendOutcome } from './outgoing.ts'
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
  const { sendOverSmtp } = await import('./smtp.ts')
  return sendOverSmtp(toEmail(message, message.to, config), config)
}

function toEmail(message: OutgoingMessage, to: string, { MAIL_FROM: from }: Config): Email {
  const { greeting, footer } = templatesOf(message.language).email
  const paragraphs = [greeting(message.name), onLines(message.text)]
  return {
    // The same for each attempt, so a reader’s mailbox can tell that it has the message already.
    messageId: `<${message.id}@${from.address.split('@')[1]}>`,
    date: message.createdAt,
    from,
    to: { name: message.name, address: to },
    subject: message.title,
    text: `${[...paragraphs, `--\n${footer}`].join('\n\n')}\n`,
    html: emailHtml({ language: message.language, title: message.title, paragraphs, footer }),
  }
}
