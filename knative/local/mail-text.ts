import type { MailHead, WholeMail } from './servers/read-mails.ts'

/** Control characters: a terminal would obey them. */
const CONTROL = /[\p{Cc}]/gu
const plain = (text: string): string => text.replaceAll(CONTROL, ' ')

/** A line for each mail; `total` is how many there are. */
export function mailList(mails: readonly Omit<MailHead, 'id'>[], total: number): string {
  const lines = mails.map(
    ({ date, to, subject }, i) =>
      `${String(i + 1).padStart(4)}  ${timeOf(date)}  ${plain(to)}\n                           ${plain(subject)}`,
  )
  const rest = total - mails.length
  const more = rest > 0 ? `\n      and ${rest} older` : ''
  return `${lines.join('\n')}${more}\n\nnpm run mail -- 1 shows the newest.`
}

/**
 * The whole mail. If it has a link of the bank, it also says how to use that with curl. `url` is the bank's.
 */
export function mailText(
  { date, to, subject, text }: Pick<WholeMail, 'date' | 'to' | 'subject' | 'text'>,
  url: string,
): string {
  const body = text.split('\n').map(plain).join('\n').trimEnd()
  const head = `Date:     ${timeOf(date)}\nTo:       ${plain(to)}\nSubject:  ${plain(subject)}`
  return [head, body, ...useOf(text, url)].join('\n\n')
}

const timeOf = (date: Date): string => date.toISOString().slice(0, 19).replace('T', ' ')

const LINK = /\/(new-password|confirm-email)#token=([A-Za-z0-9_-]{64})(?![A-Za-z0-9_-])/

function useOf(text: string, url: string): string[] {
  const [, page, token] = LINK.exec(text) ?? []
  if (!page || !token) return []
  const [path, body] =
    page === 'confirm-email'
      ? ['email/confirm', { token }]
      : ['password-resets/confirm', { token, new_password: 'three blue herons' }]
  return [
    `The link opens a page of the bank. This does the same:

  curl -i ${url}/api/auth/${path} -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(body)}'`,
  ]
}
