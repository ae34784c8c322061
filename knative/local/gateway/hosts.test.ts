import { internalTarget, publicTarget } from './hosts.ts'

const service = (name: string) => ({ kind: 'service', name })
const broker = { kind: 'broker', name: 'default' }
const unknown = (host: string) => ({ kind: 'unknown', host })

describe('on the public port', () => {
  test.each([
    ['transfer.microbank.localhost:8080', service('transfer')],
    ['transfer.microbank.localhost', service('transfer')],
    ['Transfer.MicroBank.localhost.:8080', service('transfer')],
    ['transfer.bank.microbank.localhost:8080', service('transfer')],
    ['open-account.microbank.localhost', service('open-account')],
    ['default-broker-ingress.microbank.localhost:8080', broker],
    ['default-broker-ingress.bank.microbank.localhost', broker],
    ['microbank.localhost:8080', service('front-door')],
    ['localhost:8080', service('front-door')],
    ['127.0.0.1:8080', service('front-door')],
    ['[::1]:8080', service('front-door')],
    ['microbank.local', service('front-door')],
    ['transfer.microbank.localhost.evil.example', service('front-door')],
    ['runtime.microbank.localhost:8080', { kind: 'runtime' }],
    [undefined, service('front-door')],
    ['notify.bank.svc.cluster.local', unknown('notify.bank.svc.cluster.local')],
    ['notify.bank.svc', unknown('notify.bank.svc')],
    ['Anything.svc.:8080', unknown('anything.svc')],
    ['prometheus.monitoring.svc.cluster.local', unknown('prometheus.monitoring.svc.cluster.local')],
    ['a.b.microbank.localhost', unknown('a.b.microbank.localhost')],
    ['.microbank.localhost', unknown('.microbank.localhost')],
  ])('%s', (host, target) => {
    expect(publicTarget(host)).toEqual(target)
  })
})

describe('on the internal listener', () => {
  test.each([
    ['notify.bank.svc.cluster.local', service('notify')],
    ['notify.bank.svc.cluster.local:80', service('notify')],
    ['notify.bank.svc', service('notify')],
    ['notify.bank', service('notify')],
    ['default-broker-ingress.bank.svc.cluster.local', broker],
    ['runtime.microbank.localhost:1234', { kind: 'runtime' }],
    ['prometheus.monitoring.svc.cluster.local:9090', { kind: 'prometheus' }],
    ['transfer.microbank.localhost', unknown('transfer.microbank.localhost')],
    ['localhost:8080', unknown('localhost')],
    ['notify.other.svc.cluster.local', unknown('notify.other.svc.cluster.local')],
    [undefined, unknown('')],
  ])('%s', (host, target) => {
    expect(internalTarget(host)).toEqual(target)
  })
})
