import { read } from '../../tests/support/repository.ts'
import type { Runtime } from './runtime.ts'
import { welcome } from './welcome.ts'

const runtime = {
  ...{ url: 'http://localhost:8080', port: 8080, queue: 'RabbitMQ', dataDir: '/bank', kubeconfig: '/config' },
  signInUrl: 'http://localhost:8080/sign-in#code=abc',
  secrets: { operator: { email: 'operator@example.com', password: 'secret' }, showOperator: false },
} as unknown as Runtime

const lineAbout = (node: string): string => /^Node +(.*)$/m.exec(welcome(runtime, node))![1]!

test('says which Node runs, and warns of one that gets no security updates', () => {
  expect(lineAbout('24.21.0')).toBe('24.21.0')
  expect(lineAbout('20.20.2')).toMatch(/^20\.20\.2, which gets no security updates any more; /)
})

test('names the Node that the image has', () => {
  const [, major] = /^ARG NODE=node:(\d+)-/m.exec(read('Dockerfile'))!
  expect(lineAbout('20.20.2')).toMatch(new RegExp(`the image has Node ${major}$`))
})

test('ends with a link that signs in', () => {
  expect(welcome(runtime, '24.21.0').trim()).toMatch(
    /\n\nSign in {7}http:\S+\/sign-in#code=abc\n.*once.*10 minutes.*$/,
  )
})
