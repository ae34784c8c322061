import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AddressObject } from 'mailparser'
import { caughtMails, mailFolder } from './mail-catcher.ts'

/** What a list says of a mail. */
export interface MailHead {
  /** The name of its file, without the ending. */
  id: string
  date: Date
  to: string
  subject: string
}

export interface WholeMail extends MailHead {
  from: string
  /** Its plain text. All emails of the bank have one besides HTML. */
  text: string
  /** Null if it has only text. */
  html: string | null
  attachments: { name: string; mediaType: string; bytes: number }[]
}

const ENDING = '.eml'
const ID = /^\d+-[0-9a-f]+$/

/** Reads the heads of the newest mails, the newest first. `total` is how many there are. */
export async function listMails(
  dataDir: string,
  limit: number,
): Promise<{ mails: MailHead[]; total: number }> {
  const folder = mailFolder(dataDir)
  const files = existsSync(folder) ? caughtMails(folder) : []
  const mails = await Promise.all(files.slice(0, limit).map((file) => readHead(folder, file)))
  // A mail may have been removed meanwhile.
  return { mails: mails.filter((mail) => mail !== undefined), total: files.length }
}

/** Reads one mail. Resolves with undefined if there is none with this id. */
export async function readMail(dataDir: string, id: string): Promise<WholeMail | undefined> {
  const source = ID.test(id) ? await readSource(mailFolder(dataDir), id + ENDING) : undefined
  if (!source) return undefined
  const { simpleParser } = await import('mailparser')
  const { date, from, to, subject = '', text = '', html, attachments } = await simpleParser(source)
  return {
    ...{ id, date: date ?? new Date(0), from: addressesOf(from), to: addressesOf(to), subject, text },
    html: html || null,
    attachments: attachments.map(({ filename, contentType, size }) => ({
      ...{ name: filename ?? '', mediaType: contentType, bytes: size },
    })),
  }
}

async function readHead(folder: string, file: string): Promise<MailHead | undefined> {
  const source = await readSource(folder, file)
  if (!source) return undefined
  const { simpleParser } = await import('mailparser')
  // Reading the rest too would take much longer.
  const end = /\r?\n\r?\n/.exec(source.toString('latin1'))
  const {
    date,
    to,
    subject = '',
  } = await simpleParser(source.subarray(0, end ? end.index + end[0].length : undefined))
  return { id: file.slice(0, -ENDING.length), date: date ?? new Date(0), to: addressesOf(to), subject }
}

const readSource = (folder: string, file: string): Promise<Buffer | undefined> =>
  readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

const addressesOf = (given: AddressObject | AddressObject[] | undefined): string =>
  [given ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ')
