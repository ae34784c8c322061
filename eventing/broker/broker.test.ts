import { inOtherProcess } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'
import { came, emptied, overEveryQueue } from './contract.ts'
import { manifestsOf } from './broker-fixture.ts'

overEveryQueue('a Broker keeps every event', ({ transport, subscriberThat, brokerOf }) => {
  test('that was being delivered, was being retried or was waiting when the Broker stopped', async () => {
    const never = new Promise<never>(() => undefined)
    const manifests = manifestsOf([
      { name: 'hanging', parallelism: 1 },
      { name: 'retrying', delivery: { retry: 9, backoffPolicy: 'linear', backoffDelay: 'PT1M' } },
    ])
    const first = await subscriberThat(({ path }) => (path === '/hanging' ? never : { status: 503 }))
    const broker = await brokerOf(manifests, first)
    for (const id of ['1', '2', '3']) await broker.send({ id })
    await came(first, '/hanging')
    await came(first, '/retrying', 3)
    await broker.stop(50)

    const second = await subscriberThat()
    await brokerOf(manifests, second)
    await came(second, '/hanging', 3)
    await came(second, '/retrying', 3)
    expect(second.ids('/hanging').sort()).toEqual(['1', '2', '3'])
    expect(second.ids('/retrying').sort()).toEqual(['1', '2', '3'])
  })

  test('that it answered with 202, if its process is killed during a delivery', async () => {
    const never = new Promise<never>(() => undefined)
    const manifests = manifestsOf([{ name: 'killed', parallelism: 2 }])
    const first = await subscriberThat(() => never)
    const { child, message } = await inOtherProcess<{ url: string }>(`
      import { startTestBroker } from './eventing/broker/broker-fixture.ts'
      const arguments_ = ${JSON.stringify([transport(), manifests, first.url])}
      startTestBroker(...arguments_).then(({ url }) => process.send({ url }))
    `)
    for (const id of ['1', '2', '3']) {
      const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/tests', 'ce-type': 'tested' }
      expect((await fetch(message.url, { method: 'POST', headers })).status).toBe(202)
    }
    await came(first, '/killed', 2)
    child.kill('SIGKILL')

    const second = await subscriberThat()
    const broker = await brokerOf(manifests, second)
    await came(second, '/killed', 3)
    await emptied(broker)
    expect(second.ids('/killed').sort()).toEqual(['1', '2', '3'])
  })

  test('of a Trigger whose subscriber is unknown, and reports the Trigger as not ready', async () => {
    const manifests = manifestsOf([{ name: 'known' }, { name: 'unknown' }])
    manifests.triggers[1]!.spec.subscriber = { uri: 'unresolvable' }
    const subscriber = await subscriberThat()
    const broker = await brokerOf(manifests, subscriber)
    await broker.send()
    await came(subscriber, '/known')
    const { triggers } = await until(async () => {
      const status = await broker.status()
      return status.ready && status.triggers[1]!.backlog === 1 && status
    })
    expect(triggers[0]).toMatchObject({ name: 'known', ready: true, reason: '' })
    expect(triggers[1]).toMatchObject({ name: 'unknown', ready: false })
    expect(triggers[1]!.reason).toContain('unresolvable')
  })
})
