import { setImmediate as turn } from 'node:timers/promises'
import type { Tools } from '../host/tools.ts'
import { createLog } from '../../monitoring/log.ts'
import { TopologyFeed } from './topology-feed.ts'

test('a look that began before the last stream ended tells nothing to the next stream, and does not go on', async () => {
  const answers: (() => void)[] = []
  const send = () => new Promise<never>((_, reject) => answers.push(() => reject(new Error('no answer'))))
  const config = {
    ...{ KUBERNETES_API: 'http://127.0.0.1:9', KUBERNETES_ACCOUNT: '/nowhere' },
    ...{ LOCAL_GATEWAY: '127.0.0.1:9', SERVICE_DOMAIN: 'bank.svc.cluster.local' },
  }
  const feed = new TopologyFeed({
    send,
    config,
    log: createLog({}, 'error'),
    catalogue: [],
  } as unknown as Tools)
  const [first, second] = [{}, {}]
  feed.join(first)
  feed.leave(first)
  feed.join(second)
  expect(answers).toHaveLength(2)
  let told = false
  void feed.next().then(() => (told = true))
  answers[0]!()
  await turn()
  expect(told).toBe(false)
  answers[1]!()
  await turn()
  expect(told).toBe(true)
  feed.leave(second)
})
