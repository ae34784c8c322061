import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readFields } from './data-folder/own-files.ts'
import { mailList, mailText, type CaughtMail } from './mail-text.ts'
import { caughtMails, mailFolder } from './servers/mail-catcher.ts'

const USAGE = `npm run mail -- [number] [--last] [--data .microbank]

Lists the emails that the bank on this data folder has sent, the newest first. They have not left this machine.

  number    shows that one: 1 is the newest
  --last    the same as 1`

const LISTED_MAX = 20

void main()

async function main(): Promise<void> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        data: { type: 'string', default: '.microbank' },
        last: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const given = values.last ? '1' : positionals[0]
    console.log(values.help ? USAGE : await answer(values.data, given))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

async function answer(dataDir: string, given: string | undefined): Promise<string> {
  const folder = mailFolder(dataDir)
  const files = existsSync(folder) ? caughtMails(folder) : []
  if (files.length === 0) return `The bank on the data folder ${dataDir} has sent no email yet.`
  if (given === undefined) {
    const mails = await Promise.all(files.slice(0, LISTED_MAX).map((file) => readMail(join(folder, file))))
    return mailList(mails, files.length)
  }
  const file = /^[1-9]\d*$/.test(given) ? files[Number(given) - 1] : undefined
  if (!file) throw new Error(`expected a number from 1 to ${files.length}, got ${given}`)
  const port = readFields(join(dataDir, 'runtime.json'))?.port
  return mailText(
    await readMail(join(folder, file)),
    `http://localhost:${typeof port === 'number' ? port : 8080}`,
  )
}

async function readMail(file: string): Promise<CaughtMail> {
  const { simpleParser } = await import('mailparser')
  const { date, to, subject, text } = await simpleParser(await readFile(file))
  const addressed = [to ?? []].flat().map((each) => each.text)
  return { date: date ?? new Date(0), to: addressed.join(', '), subject: subject ?? '', text: text ?? '' }
}
