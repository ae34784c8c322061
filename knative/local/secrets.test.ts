import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { callingContexts } from '../../functions/contexts.ts'
import { openCheckpoint, signCheckpoint } from '../../functions/host/transparency/checkpoint.ts'
import { openSecrets } from './secrets.ts'
import { folderWith } from './gateway/gateway-fixture.ts'

let folder: ReturnType<typeof folderWith>
beforeEach(() => {
  folder = folderWith({})
})
afterEach(() => folder.remove())

test('secrets are made once, readable only by the owner, and the same at the next start', () => {
  const first = openSecrets(folder.path, ['ledger'])
  const again = openSecrets(folder.path, ['ledger', 'identity'])
  expect(statSync(`${folder.path}/secrets.json`).mode & 0o777).toBe(0o600)
  expect(again.operator).toEqual(first.operator)
  expect(again.configMaps()).toEqual(first.configMaps())
  expect(again.databasePasswords.ledger).toEqual(first.databasePasswords.ledger)
  expect(again.databasePasswords.identity!.functions).toMatch(/^[\w-]{32}$/)
  const passwords = Object.values(again.databasePasswords).flatMap((pair) => [pair.owner, pair.functions])
  const [before, after] = [first, again].map(
    (store) => store.secrets({}).get('ledger-events')!.LEDGER_EVENT_KEY,
  )
  expect([before, first.ingressToken]).toEqual([after, again.ingressToken])
  const others = [before, again.secrets({}).get('identity-events')!.IDENTITY_EVENT_KEY, again.ingressToken]
  expect(new Set([...passwords, ...others, again.operator.password]).size).toBe(8)
})

test('the operator’s password is shown only at the first start', () => {
  const first = openSecrets(folder.path, [])
  expect(first.showOperator).toBe(true)
  expect(openSecrets(folder.path, []).showOperator).toBe(true)
  first.markOperatorShown()
  expect(openSecrets(folder.path, []).showOperator).toBe(false)
})

test('the published key verifies what the private key signs, and has no private part', () => {
  const store = openSecrets(folder.path, [])
  const secrets = store.secrets({ ledger: 'postgres://ledger' })
  expect(secrets.get('ledger-database')).toEqual({ LEDGER_DATABASE_URL: 'postgres://ledger' })
  expect(secrets.get('first-operator')).toEqual({
    OPERATOR_EMAIL: 'operator@microbank.localhost',
    OPERATOR_PASSWORD: store.operator.password,
  })
  const jwk = JSON.parse(secrets.get('token-signing-key')!.JWT_SIGNING_KEY!)
  const { keys } = JSON.parse(store.configMaps().get('token-keys')!.JWKS!)
  expect(keys).toEqual([
    { kty: 'OKP', crv: 'Ed25519', x: jwk.x, alg: 'EdDSA', use: 'sig', kid: jwk.kid, iat: jwk.iat },
  ])
  expect(Math.abs(jwk.iat * 1000 - Date.now())).toBeLessThan(3_600_000)
  const data = Buffer.from('a token')
  const signature = sign(null, data, createPrivateKey({ key: jwk, format: 'jwk' }))
  expect(verify(null, data, createPublicKey({ key: keys[0], format: 'jwk' }), signature)).toBe(true)
})

test('a context that calls on behalf of customers has a key of its own, published under its name', () => {
  const store = openSecrets(folder.path, [])
  const jwk = JSON.parse(store.secrets({}).get('payments-calls')!.PAYMENTS_CALL_KEY!)
  const { keys } = JSON.parse(store.configMaps().get('call-keys')!.CALL_KEYS!)
  const { d: _private, ...published } = jwk
  expect(keys).toContainEqual({ ...published, iss: 'payments' })
  expect(keys.map(({ iss }: { iss: string }) => iss)).toEqual([...callingContexts])
  expect(jwk.x).not.toBe(JSON.parse(store.secrets({}).get('token-signing-key')!.JWT_SIGNING_KEY!).x)
  expect(openSecrets(folder.path, []).configMaps()).toEqual(store.configMaps())
})

test('the published seal key opens what the private key signs', () => {
  const store = openSecrets(folder.path, [])
  const { keys } = JSON.parse(store.secrets({}).get('seal-signing-key')!.SEAL_SIGNING_KEY!)
  const { SEAL_KEYS } = store.configMaps().get('seal-keys')!
  const checkpoint = { size: 1n, root: Buffer.alloc(32) }
  expect(openCheckpoint(signCheckpoint(checkpoint, keys), [SEAL_KEYS!])).toEqual(checkpoint)
  expect(openSecrets(folder.path, []).configMaps()).toEqual(store.configMaps())
})

test.each([
  ['empty', ''],
  ['zeroed', '\0'.repeat(400)],
  ['cut short', '{"half'],
  ['null', 'null'],
  ['a list', '[]'],
  ['without keys', '{"databases":{}}'],
])(
  'a file that is %s stops the start with a sentence that says what to do, and is not replaced',
  (_, text) => {
    const file = `${folder.path}/secrets.json`
    writeFileSync(file, text)
    expect(() => openSecrets(folder.path, ['ledger'])).toThrow(
      `${file} is damaged. Put a copy of it back. If`,
    )
    expect(readFileSync(file, 'utf8')).toBe(text)
  },
)

test('a folder in place of the file is an error that names it', () => {
  mkdirSync(`${folder.path}/secrets.json`)
  expect(() => openSecrets(folder.path, [])).toThrow(/secrets.json can't be read: it is a folder/)
})

test('the file is written only when it changes', () => {
  openSecrets(folder.path, ['ledger']).markOperatorShown()
  const { ino, mtimeMs } = statSync(`${folder.path}/secrets.json`)
  openSecrets(folder.path, ['ledger']).markOperatorShown()
  expect(statSync(`${folder.path}/secrets.json`)).toMatchObject({ ino, mtimeMs })
})
