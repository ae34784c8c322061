import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http, { createServer, type Server } from 'node:http'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { answer } from '../../functions/host/http/answer.ts'
import { clientAddress } from '../../functions/host/http/client-address.ts'
import { endToEnd } from '../../functions/host/http/hop-by-hop.ts'
import { operation } from '../../functions/host/operation.ts'
import { findEnvoy } from '../../tests/support/envoy.mjs'
import { startFunction, type TestFunction } from '../../tests/support/host.ts'
import { read } from '../../tests/support/repository.ts'
import { until } from '../../tests/support/until.ts'
import { takePort } from '../local/processes/ports.ts'

/**
 * The way of a request from a client to a function. Kourier's gateway is the real Envoy with Kourier's
 * settings. The activator and queue-proxy are stand-ins that append to X-Forwarded-For as Go's reverse proxy
 * does.
 */

const settings = parse(read('knative/cluster/serving-config.yaml'))['config-kourier'] as Record<
  string,
  string
>
const { TRUSTED_HOPS, TRUSTED_HOPS_MAPPED, SERVICE_DOMAIN } = parse(read('knative/config.yaml')).data
const program = findEnvoy()
// Envoy's package exists only for Linux. If it can't be fetched, tests/support/prepare.mjs says so.
const whereEnvoyIs = program ? describe : describe.skip

/** Like a function that has a DomainMapping: answers with the client's address. */
const whoAsks = operation({
  name: 'who-asks',
  context: 'web',
  summary: 'Tells the address of the client',
  mount:
    () =>
    async ({ request, response }) =>
      answer(response, { status: 200, body: { address: clientAddress(request) } }),
})

const listening = async (server: NetServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A proxy to `port` that appends its caller's address, like httputil.ReverseProxy with a Director. */
const appending = (port: number): Server =>
  createServer((request, response) => {
    // First it removes the headers that Connection names.
    const kept = endToEnd(request.headers)
    const before = kept['x-forwarded-for']
    const caller = request.socket.remoteAddress!.replace('::ffff:', '')
    const headers = {
      ...request.headers,
      'x-forwarded-for': before ? `${String(before)}, ${caller}` : caller,
    }
    http
      .request({ port, path: request.url, headers }, (given) => {
        response.writeHead(given.statusCode!, given.headers)
        given.pipe(response)
      })
      .end()
  })

const cluster = (name: string, port: number) => ({
  name,
  type: 'STATIC',
  connect_timeout: '5s',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
  },
})

const at = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })

/**
 * The configuration that net-kourier 1.23 makes of its settings (pkg/envoy/api/http_connection_manager.go),
 * with routes by Host.
 */
function listener(name: string, port: number, config: Record<string, string>, to: Record<string, object>) {
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'ingress_http',
    codec_type: 'AUTO',
    xff_num_trusted_hops: Number(config['trusted-hops-count']),
    use_remote_address: config['use-remote-address'] === 'true',
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
    route_config: {
      virtual_hosts: Object.entries(to).map(([host, route]) => ({
        name: host,
        domains: [host, `${host}:*`],
        routes: [{ match: { prefix: '/' }, route }],
      })),
    },
  }
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }]
  return { name, address: at(port), filter_chains: [{ filters }] }
}

interface Asking {
  from: string
  claims?: string[]
  host?: string
  connection?: string
}

const OWN = 'front-door.bank.example.org'
const MAPPED = 'bank.example.org'
const LOCAL = `front-door.${SERVICE_DOMAIN}`

whereEnvoyIs('behind Kourier’s Envoy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'microbank-envoy-'))
  const proxies: Server[] = []
  const envoys: ChildProcess[] = []
  let whoIs: TestFunction
  let activator: number
  let gateway: number

  beforeAll(async () => {
    whoIs = await startFunction(whoAsks, { TRUSTED_HOPS, TRUSTED_HOPS_MAPPED, SERVICE_DOMAIN })
    const queueProxy = appending(whoIs.port)
    const activating = appending(await listening(queueProxy))
    activator = await listening(activating)
    proxies.push(queueProxy, activating)
    gateway = await startGateway(settings)
  })
  afterAll(async () => {
    for (const envoy of envoys) envoy.kill('SIGKILL')
    for (const proxy of proxies) {
      proxy.closeAllConnections()
      proxy.close()
    }
    await whoIs?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Two listeners, like Kourier's: a DomainMapping leads from the outer one through the inner one. */
  async function startGateway(config: Record<string, string>): Promise<number> {
    const [outer, inner] = [await takePort(), await takePort()]
    const toActivator = { cluster: 'activator' }
    const file = join(folder, `${outer}.json`)
    const listeners = [
      listener('outer', outer, config, {
        [OWN]: toActivator,
        [MAPPED]: { cluster: 'inner', host_rewrite_literal: LOCAL },
      }),
      listener('inner', inner, config, { [LOCAL]: toActivator }),
    ]
    const clusters = [cluster('activator', activator), cluster('inner', inner)]
    writeFileSync(file, JSON.stringify({ static_resources: { listeners, clusters } }))
    const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'off']
    envoys.push(spawn(program!, ['--config-path', file, ...options], { stdio: 'ignore' }))
    const answers = () =>
      addressSeen(outer, { from: '127.0.0.1' }).then(
        () => true,
        () => false,
      )
    await until(answers, { what: 'Envoy' })
    return outer
  }

  /**
   * Sends a request from a client with the address `from`; returns the client's address as the function sees
   * it.
   */
  const addressSeen = (port: number, { from, claims, host = OWN, connection }: Asking): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = {
        host,
        ...(connection && { connection }),
        ...(claims && { 'x-forwarded-for': claims }),
      }
      const request = http.get({ host: '127.0.0.1', port, localAddress: from, headers }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => {
          if (response.statusCode === 200) resolve((JSON.parse(text) as { address: string }).address)
          else reject(new Error(`expected 200, got ${response.statusCode}: ${text}`))
        })
      })
      request.on('error', reject)
    })

  test.each([
    ['nothing', undefined],
    ['another address', ['6.6.6.6']],
    ['many', ['6.6.6.6, 7.7.7.7, 10.0.0.1, 10.0.0.2']],
    ['them in many lines', ['6.6.6.6', '7.7.7.7', '10.0.0.1']],
    ['rubbish', [', ,x']],
  ])('a client is known by its address, and not by what it claims: %s', async (_what, claims) => {
    for (const host of [OWN, MAPPED])
      for (const from of ['127.0.0.2', '127.0.0.3']) {
        const seen = await addressSeen(gateway, { from, host, ...(claims && { claims }) })
        expect([host, seen]).toEqual([host, from])
      }
  })

  test('a client can’t make a hop remove its address', async () => {
    const claims = { claims: ['6.6.6.6, 7.7.7.7, 8.8.8.8'], connection: 'close, X-Forwarded-For' }
    // Envoy refuses such a request, or removes from it what Connection may not name.
    await expect(addressSeen(gateway, { from: '127.0.0.2', ...claims })).rejects.toThrow('got 400')
    const other = { ...claims, connection: 'close, X-Microbank-Client' }
    expect(await addressSeen(gateway, { from: '127.0.0.2', ...other })).toBe('127.0.0.2')
  })

  test('a client can’t reach the inner listener with a Host header', async () => {
    const request = addressSeen(gateway, { from: '127.0.0.2', host: LOCAL, claims: ['6.6.6.6'] })
    await expect(request).rejects.toThrow('expected 200, got 404')
  })

  test('with Kourier’s default settings, clients could claim any address', async () => {
    const defaults = await startGateway({ 'use-remote-address': 'false', 'trusted-hops-count': '0' })
    expect(await addressSeen(defaults, { from: '127.0.0.2', claims: ['6.6.6.6'] })).toBe('6.6.6.6')
    expect(await addressSeen(defaults, { from: '127.0.0.2' })).toBe('')
  })
})
