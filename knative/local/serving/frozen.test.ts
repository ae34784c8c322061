import { freeze } from '../../../tests/support/signal.ts'
import { until } from '../../../tests/support/until.ts'
import { server, startGateway, type TestService } from '../gateway/gateway-fixture.ts'

const echo: TestService = {
  name: 'echo',
  script: server(`response.end(String(pid))`),
  annotations: { window: '60s' },
}
/** /slow takes long, but /healthz does not. */
const slow: TestService = {
  name: 'slow',
  script: server(`
    if (request.url === '/slow') while (!require('node:fs').existsSync(__dirname + '/open')) await new Promise((go) => setTimeout(go, 10))
    response.end(String(pid))`),
  annotations: { window: '60s' },
}

const isGone = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0)
  } catch {
    return true
  }
}

describe('a frozen process', () => {
  let gateway: Awaited<ReturnType<typeof startGateway>>
  beforeEach(async () => {
    gateway = await startGateway([echo, slow])
  })
  afterEach(() => gateway.stop())

  test('is replaced within seconds; reads go to another process, other requests learn who did not answer', async () => {
    const frozen = Number((await gateway.call('echo')).text)
    await freeze([frozen])
    const since = performance.now()
    const reads = Array.from({ length: 10 }, () => gateway.call('echo'))
    const writes = Array.from({ length: 10 }, () => gateway.call('echo', { method: 'POST', body: 'x' }))
    for (const { status, text } of await Promise.all(reads)) {
      expect(status).toBe(200)
      expect(Number(text)).not.toBe(frozen)
    }
    for (const answer of await Promise.all(writes)) {
      expect(answer.status).toBe(504)
      expect(answer.json().detail).toMatch(/^echo did not answer in time/)
    }
    // The Service itself has 300 s.
    expect(performance.now() - since).toBeLessThan(250_000)
    await until(() => isGone(frozen))
    expect((await gateway.call('echo', { method: 'POST', body: 'x' })).status).toBe(200)
  })

  test('gets no more requests once it is suspected', async () => {
    const frozen = Number((await gateway.call('echo')).text)
    await freeze([frozen])
    const first = gateway.call('echo', { method: 'POST', body: 'x' })
    // The request is held until that is known, and then given to the next process.
    await until(async () => (await gateway.call('echo', { method: 'POST', body: 'x' })).status === 200)
    expect((await first).status).toBe(504)
  })

  test('is distinguished from a slow one', async () => {
    const pid = Number((await gateway.call('slow')).text)
    const waiting = gateway.call('slow', { path: '/slow' })
    await until(() => gateway.service('slow').status().inFlight === 1)
    const since = performance.now()
    await until(() => performance.now() - since > 6_000)
    expect(Number((await gateway.call('slow')).text)).toBe(pid)
    const { writeFileSync } = await import('node:fs')
    writeFileSync(`${gateway.folder}/functions/open`, '')
    expect(Number((await waiting).text)).toBe(pid)
  })
})
