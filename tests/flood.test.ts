import net from 'node:net'
import { inOtherProcess, type OtherProcess } from './support/other-process.ts'
import { request, signingKey } from './support/host.ts'
import { until } from './support/until.ts'

/** What bodies in chunks of one byte do to the memory of a function, which runs in a process of its own. */

const MB = 1024 * 1024
/** Limit for the growth of memory, in bytes. The function itself takes some 80 MB; when it kept the chunks it
 * took 1,700. */
const GROWTH_BYTES_MAX = 250 * MB
const CONNECTIONS = 100
const BODY_BYTES = 95_000

let logout: OtherProcess<{ port: number }>

beforeAll(async () => {
  logout = await inOtherProcess(`
    import logout from './functions/identity/logout.ts'
    import { compileValidators } from './functions/host/http/compile-validators.ts'
    import { serve } from './functions/host/start/serve.ts'
    process.on('message', () => process.send(process.memoryUsage().rss))
    process.on('disconnect', () => process.exit())
    const settings = ${JSON.stringify({
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_LEVEL: 'off',
      // Nothing listens on this port: a body must be read before a database is needed.
      IDENTITY_DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/identity',
      JWKS: signingKey.jwks,
      JWT_SIGNING_KEY: signingKey.privateJwk,
      IDENTITY_EVENT_KEY: 'a key that is only good for tests, no more',
      FRONT_DOOR_KEY: 'another key that is only good for tests',
    })}
    void serve(logout, { validators: compileValidators(logout), catalogue: [], settings: {} }, settings).then(({ port }) => process.send({ port }))
  `)
})

afterAll(() => logout?.child.kill())

const residentBytes = (): Promise<number> =>
  new Promise((resolve) => {
    logout.child.once('message', (bytes) => resolve(bytes as number))
    logout.child.send('memory')
  })

test('after 58 MB of unfinished bodies in chunks of one byte a function is still small and answers', async () => {
  const before = await residentBytes()
  const body = '1\r\nx\r\n'.repeat(BODY_BYTES)
  const head =
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
  let done = 0
  let answers = ''
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const socket = net.connect(logout.message.port, '127.0.0.1')
    // A refused connection is closed and the rest is not sent. That counts as sent.
    const end = (): void => void done++
    socket.on('error', () => {}).on('data', (bytes) => (answers += bytes.toString()))
    let isDone = false
    const once = (): void => {
      if (!isDone) end()
      isDone = true
    }
    socket.write(head + body, once)
    socket.on('close', once)
    return socket
  })
  let most = 0
  await until(
    async () => {
      most = Math.max(most, await residentBytes())
      return done === CONNECTIONS
    },
    { what: 'the flood to be sent' },
  )
  most = Math.max(most, await residentBytes())
  for (const socket of sockets) socket.destroy()
  expect(most - before).toBeLessThan(GROWTH_BYTES_MAX)
  expect(answers).toContain('HTTP/1.1 413 ')
  const health = await request('GET', `http://127.0.0.1:${logout.message.port}/healthz`)
  expect(health.status).toBe(200)
})
