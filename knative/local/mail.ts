import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readFields } from './data-folder/own-files.ts'
import { mailList, mailText } from './mail-text.ts'
import { listMails, readMail } from './servers/read-mails.ts'

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
  const { mails, total } = await listMails(dataDir, given === undefined ? LISTED_MAX : Infinity)
  if (total === 0) return `The bank on the data folder ${dataDir} has sent no email yet.`
  if (given === undefined) return mailList(mails, total)
  const listed = /^[1-9]\d*$/.test(given) ? mails[Number(given) - 1] : undefined
  const mail = listed && (await readMail(dataDir, listed.id))
  if (!mail) throw new Error(`expected a number from 1 to ${total}, got ${given}`)
  const port = readFields(join(dataDir, 'runtime.json'))?.port
  return mailText(mail, `http://localhost:${typeof port === 'number' ? port : 8080}`)
}
