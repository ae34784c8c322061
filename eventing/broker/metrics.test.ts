import { createLog } from '../../monitoring/log.ts'
import { Meter } from '../../monitoring/meter/meter.ts'
import { brokerMetrics } from './metrics.ts'

test('the Broker counts events received, deliveries and dead letters', async () => {
  const meter = new Meter({ log: createLog({}, 'off'), version: '1' })
  const metrics = brokerMetrics(meter, ['notify', 'transfer'])
  metrics.received(202)
  metrics.received(503)
  metrics.received(202)
  metrics.delivered('notify', 204, 0.003)
  metrics.delivered('notify', 204, 0.005)
  metrics.delivered('notify', 204, 11)
  metrics.delivered('notify', -1, 2)
  metrics.delivered('default dead letters', 204, 1)
  metrics.deadLettered('notify')
  const { text } = await meter.expose()
  expect(text).toContain('broker_ingress_requests_total{code="202"} 2')
  expect(text).toContain('broker_ingress_requests_total{code="503"} 1')
  expect(text).toContain('kn_eventing_dispatch_duration_seconds_count{trigger="notify",code="204"} 3')
  expect(text).toContain('kn_eventing_dispatch_duration_seconds_sum{trigger="notify",code="204"} 11.008')
  expect(text).toContain(
    'kn_eventing_dispatch_duration_seconds_bucket{trigger="notify",code="204",le="0.005"} 2',
  )
  expect(text).toContain('kn_eventing_dispatch_duration_seconds_count{trigger="notify",code="-1"} 1')
  expect(text).toContain(
    'kn_eventing_dispatch_duration_seconds_count{trigger="default-dead-letters",code="204"} 1',
  )
  expect(text).toContain('broker_dead_letters_total{trigger="notify"} 1')
  expect(text).toContain('broker_dead_letters_total{trigger="transfer"} 0')
  expect(text).toContain('broker_stuck_dead_letters_total{trigger="notify"} 0')
})
