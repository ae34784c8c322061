import { request } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { STATUS_HOST } from './gateway/hosts.ts'
import { readFields } from './data-folder/own-files.ts'
import { statusTables } from './status-tables.ts'
import type { RuntimeStatus } from './status.ts'

const USAGE = `npm run ps -- [--data .microbank]

Shows what the bank on this data folder runs: Services and their processes, cold starts, Broker and Triggers.`

void main()

async function main(): Promise<void> {
  try {
    const { values } = parseArgs({
      options: { data: { type: 'string', default: '.microbank' }, help: { type: 'boolean', short: 'h' } },
    })
    console.log(values.help ? USAGE : statusTables(await readStatus(internalPort(values.data))))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

function internalPort(dataDir: string): number {
  const port = readFields(join(dataDir, 'runtime.json'))?.internalPort
  if (typeof port === 'number') return port
  throw new Error(`No bank runs on the data folder ${dataDir}. Start one: npm start`)
}

function readStatus(port: number): Promise<RuntimeStatus> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path: '/status', headers: { host: STATUS_HOST } })
    asking.once('error', () =>
      reject(
        new Error('The bank on this data folder has ended without saying so. Start it again: npm start'),
      ),
    )
    asking.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as RuntimeStatus)
        else reject(new Error(`The bank answered ${response.statusCode}: ${text}`))
      })
    })
    asking.end()
  })
}
