import { readFileSync, writeFileSync } from 'node:fs'
import { until } from '../../../tests/support/until.ts'
import { server, startGateway, type TestService } from '../gateway/gateway-fixture.ts'

const echo: TestService = {
  name: 'echo',
  script: server(`response.end(JSON.stringify({ pid, body: body.toString() }))`),
}
/**
 * Answers once there is a file `open` beside the script; `/crash` ends the process. The answer says the most
 * requests that it had at a time.
 */
const gate = `
  let most = 0, current = 0
  ${server(`
    if (request.url === '/crash') return process.exit(3)
    most = Math.max(most, ++current)
    while (!require('node:fs').existsSync(__dirname + '/open')) await new Promise((go) => setTimeout(go, 10))
    current--
    response.end(JSON.stringify({ pid, most }))`)}`

async function withGateway(
  services: TestService[],
  work: (gateway: Awaited<ReturnType<typeof startGateway>>) => Promise<void>,
) {
  const gateway = await startGateway(services)
  try {
    await work(gateway)
  } finally {
    await gateway.stop()
  }
}

const pidOf = (answer: { json: <T>() => T }) => answer.json<{ pid: number }>().pid
const isGone = (pid: number) => {
  try {
    return !process.kill(pid, 0)
  } catch {
    return true
  }
}

describe('scaling', () => {
  test('holds twenty parallel requests while the first process starts, and answers all from it', () =>
    withGateway([echo], async ({ call, service }) => {
      expect(service('echo').status().processes).toBe(0)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => call('echo', { method: 'POST', body: `body ${i}` })),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      expect(answers.map((answer) => answer.json().body)).toEqual(
        Array.from({ length: 20 }, (_, i) => `body ${i}`),
      )
      expect(new Set(answers.map(pidOf)).size).toBe(1)
      expect(service('echo').status().coldStarts).toBe(1)
    }))

  test('starts initial-scale processes without being asked, and keeps min-scale', () =>
    withGateway(
      [
        { ...echo, annotations: { 'initial-scale': '2' } },
        { ...echo, name: 'kept', annotations: { 'min-scale': '1', window: '300ms' } },
      ],
      async ({ service }) => {
        await until(() => service('echo').status().processes === 2)
        await until(() => service('kept').status().processes === 1)
        const since = performance.now()
        await until(() => performance.now() - since > 900)
        expect(service('kept').status()).toMatchObject({ processes: 1, coldStarts: 1 })
      },
    ))

  test('adds processes under load, never gives one more than its containerConcurrency, and holds the rest', () =>
    withGateway(
      [
        {
          name: 'gate',
          script: gate,
          containerConcurrency: 2,
          annotations: { 'max-scale': '3', window: '2s' },
        },
      ],
      async ({ call, service, folder }) => {
        const calls = Array.from({ length: 10 }, () => call('gate'))
        await until(() => service('gate').status().processes === 3)
        expect(service('gate').status()).toMatchObject({ inFlight: 10, held: 4, maxScale: 3 })
        writeFileSync(`${folder}/functions/open`, '')
        const answers = await Promise.all(calls)
        expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
        expect(new Set(answers.map(pidOf)).size).toBe(3)
        expect(Math.max(...answers.map((answer) => answer.json<{ most: number }>().most))).toBe(2)
      },
    ))

  test('goes to zero after the window, and a fresh process answers the next request', () =>
    withGateway([{ ...echo, annotations: { window: '500ms' } }], async ({ call, service }) => {
      const first = pidOf(await call('echo'))
      await until(() => service('echo').status().processes === 0)
      await until(() => isGone(first))
      expect(pidOf(await call('echo'))).not.toBe(first)
      expect(service('echo').status().coldStarts).toBe(2)
    }))

  test('a process that is no longer wanted finishes its requests', () =>
    withGateway([{ name: 'gate', script: gate }], async ({ call, service, folder }) => {
      const calls = Array.from({ length: 5 }, () => call('gate'))
      await until(() => service('gate').status().inFlight === 5 && service('gate').status().held === 0)
      const stopped = service('gate').stop()
      expect((await call('gate')).status).toBe(503)
      writeFileSync(`${folder}/functions/open`, '')
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(5).fill(200))
      await stopped
      expect(service('gate').status()).toMatchObject({ processes: 0, inFlight: 0 })
    }))
})

describe('a process that crashes', () => {
  test('its requests get a 502, and the next request another process', () =>
    withGateway([{ name: 'gate', script: gate }], async ({ call, service, folder }) => {
      const waiting = call('gate', { method: 'POST', body: 'money' })
      await until(() => service('gate').status().processes === 1)
      const crashing = await call('gate', { method: 'POST', path: '/crash' })
      for (const answer of [crashing, await waiting]) {
        expect(answer.status).toBe(502)
        expect(answer.headers['content-type']).toBe('application/problem+json')
        expect(answer.json()).toMatchObject({
          type: 'https://microbank.dev/problems/upstream-failed',
          status: 502,
        })
      }
      writeFileSync(`${folder}/functions/open`, '')
      expect((await call('gate')).status).toBe(200)
    }))

  test('a request that only reads is sent again; one that may have moved money is not', () =>
    withGateway(
      [
        {
          name: 'once',
          script: server(`
            const fs = require('node:fs'), file = __dirname + '/seen'
            fs.appendFileSync(file, request.method + ' ')
            if (!fs.existsSync(file + '.' + request.method)) { fs.writeFileSync(file + '.' + request.method, ''); process.exit(1) }
            response.end(fs.readFileSync(file, 'utf8'))`),
        },
      ],
      async ({ call }) => {
        expect((await call('once', { method: 'POST', body: '{}' })).status).toBe(502)
        const read = await call('once', { method: 'GET' })
        expect(read.text).toBe('POST GET GET ')
      },
    ))

  test('is replaced without being asked', () =>
    withGateway([{ ...echo, annotations: { 'min-scale': '1' } }], async ({ call, service }) => {
      const first = pidOf(await call('echo'))
      process.kill(first, 'SIGKILL')
      await until(() => service('echo').status().coldStarts === 2)
      expect(pidOf(await call('echo'))).not.toBe(first)
    }))

  test('repeatedly: held requests get a 503, the status says why, and another process is tried', () =>
    withGateway(
      [
        {
          name: 'broken',
          script: `
            const fs = require('node:fs')
            if (fs.existsSync(__dirname + '/mended')) { ${echo.script} }
            else throw new Error('LEDGER_DATABASE_URL is missing')`,
        },
      ],
      async ({ call, folder, service }) => {
        const answers = await Promise.all([call('broken'), call('broken', { method: 'POST', body: 'x' })])
        for (const answer of answers) {
          expect(answer.status).toBe(503)
          expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
          // The reason may contain addresses, so only the operator may see it.
          expect(answer.json().detail).toMatch(/^broken can't be started: .*npm run ps/)
        }
        const { reason, ...status } = service('broken').status()
        expect(status).toMatchObject({ ready: false, held: 0 })
        expect(reason).toMatch(/ended with code 1: Error: LEDGER_DATABASE_URL is missing/)
        writeFileSync(`${folder}/functions/mended`, '')
        await until(async () => (await call('broken')).status === 200)
        expect(service('broken').status()).toMatchObject({ ready: true })
      },
    ))

  const failing = `
    const fs = require('node:fs')
    fs.appendFileSync(__dirname + '/starts', '.')
    if (fs.existsSync(__dirname + '/mended')) { ${echo.script} }
    else process.exit(3)`

  test('repeatedly leaves the Service not ready while the next process is tried', () =>
    withGateway(
      [{ name: 'failing', script: failing, annotations: { 'initial-scale': '1' } }],
      async ({ folder, service }) => {
        const status = () => service('failing').status()
        const starts = () => readFileSync(`${folder}/functions/starts`, 'utf8').length
        await until(() => !status().ready)
        const before = starts()
        const seen = new Set<boolean>()
        await until(() => seen.add(status().ready) && starts() >= before + 2)
        expect([...seen]).toEqual([false])
        expect(status().initialized).toBe(false)
        writeFileSync(`${folder}/functions/mended`, '')
        await until(() => status().ready)
        expect(status()).toMatchObject({ processes: 1, reason: '', initialized: true })
      },
    ))

  test('repeatedly leaves the Service not ready at zero, until a process is ready', () =>
    withGateway(
      [{ name: 'failing', script: failing, annotations: { window: '500ms' } }],
      async ({ call, folder, service }) => {
        const status = () => service('failing').status()
        expect(status()).toMatchObject({ ready: true, initialized: true })
        expect((await call('failing')).status).toBe(503)
        await until(() => status().wanted === 0)
        expect(status().ready).toBe(false)
        writeFileSync(`${folder}/functions/mended`, '')
        expect((await call('failing')).status).toBe(200)
        await until(() => status().processes === 0)
        expect(status().ready).toBe(true)
      },
    ))

  test('a request to a process that has just ended is given to another one', () =>
    withGateway([{ ...echo, annotations: { 'min-scale': '2' } }], async ({ call, service }) => {
      await until(() => service('echo').status().processes === 2)
      const before = pidOf(await call('echo'))
      process.kill(before, 'SIGKILL')
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => call('echo', { method: 'POST', body: 'x' })),
      )
      // Requests that the dying process had accepted can't be distinguished from requests that it processed.
      for (const { status } of answers) expect([200, 502]).toContain(status)
      expect(answers.some(({ status }) => status === 200)).toBe(true)
    }))
})
