import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import http from 'node:http'
import { takePort } from '../../../knative/local/processes/ports.ts'
import { moto } from '../../../tests/support/pip-package.mjs'
import { freeze } from '../../../tests/support/signal.ts'
import { until } from '../../../tests/support/until.ts'
import { deleteObject, putObject } from '../stores/s3.ts'

/** A server that speaks S3, which we did not write, in a process of its own. It keeps its objects in
 * memory. */
export interface TestS3 {
  env: Record<string, string>
  /** Starts it again, on the same port, without objects. */
  start(): Promise<void>
  /** Ends it with kill -9. */
  kill(): Promise<void>
  /** Freezes it. Resolves when it has stopped. */
  freeze(): Promise<void>
  thaw(): void
  /** Names of the objects in the bucket. */
  names(): Promise<string[]>
  put(name: string, content: string): Promise<void>
  remove(name: string): Promise<void>
}

export async function startS3(): Promise<TestS3> {
  if (!moto.isInstalled())
    throw new Error('moto is not installed; node tests/support/prepare.mjs installs it')
  const port = await takePort()
  const bucket = `http://127.0.0.1:${port}/documents`
  let child: ChildProcess
  let ended: Promise<unknown> | undefined
  process.once('exit', () => child.kill('SIGKILL'))
  const start = async (): Promise<void> => {
    // The port is free only then.
    await ended
    child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
      env: { ...process.env, PYTHONPATH: moto.folder },
      stdio: 'ignore',
    })
    ended = new Promise((resolve) => child.once('exit', resolve))
    await until(async () => (await get(`http://127.0.0.1:${port}/`)).status === 200, {
      what: 'the S3 server',
    })
  }
  await start()
  const opened = { url: bucket, region: 'us-east-1', keyId: 'test', key: 'test' }
  return {
    env: {
      DOCUMENT_STORE_URL: bucket,
      DOCUMENT_STORE_KEY_ID: 'test',
      DOCUMENT_STORE_KEY: 'a key that is only good for tests',
    },
    start,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    freeze: () => freeze([child.pid!]),
    thaw: () => void child.kill('SIGCONT'),
    async names() {
      const { text } = await get(`${bucket}?list-type=2`)
      return [...text.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, name]) => name!)
    },
    put: (name, content) =>
      unlessSilent(() =>
        putObject(opened, {
          ...{ name, bytes: Buffer.byteLength(content), mediaType: 'application/pdf' },
          sha256: createHash('sha256').update(content).digest(),
          async *pieces() {
            yield Buffer.from(content)
          },
        }),
      ),
    remove: (name) => unlessSilent(() => deleteObject(opened, name)),
  }
}

/** Asks again while a busy machine keeps the server silent for longer than the bank waits for it. */
export async function unlessSilent<Told>(ask: () => Promise<Told>): Promise<Told> {
  for (;;)
    try {
      return await ask()
    } catch (error) {
      if (!/silent for/.test((error as Error).message)) throw error
    }
}

function get(url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.on('error', reject)
  })
}
