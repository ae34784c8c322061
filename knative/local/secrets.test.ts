import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { statSync, writeFileSync } from 'node:fs'
import { openSecrets } from './secrets.ts'
import { folderWith } from './test-gateway.ts'

let folder: ReturnType<typeof folderWith>
beforeEach(() => {
  folder = folderWith({})
})
afterEach(() => folder.remove())

test('secrets are made once, kept for the owner only, and the same at the next start', () => {
  const first = openSecrets(folder.path, ['ledger'])
  const again = openSecrets(folder.path, ['ledger', 'identity'])
  expect(statSync(`${folder.path}/secrets.json`).mode & 0o777).toBe(0o600)
  expect(again.operator).toEqual(first.operator)
  expect(again.configMaps()).toEqual(first.configMaps())
  expect(again.databasePasswords.ledger).toEqual(first.databasePasswords.ledger)
  expect(again.databasePasswords.identity!.functions).toMatch(/^[\w-]{32}$/)
  const passwords = Object.values(again.databasePasswords).flatMap((pair) => [pair.owner, pair.functions])
  expect(new Set([...passwords, again.operator.password]).size).toBe(5)
})

test('the operator’s password is shown at the first start only', () => {
  const first = openSecrets(folder.path, [])
  expect(first.showOperator).toBe(true)
  expect(openSecrets(folder.path, []).showOperator).toBe(true)
  first.markOperatorShown()
  expect(openSecrets(folder.path, []).showOperator).toBe(false)
})

test('what the private key signs the published key verifies, and it publishes nothing private', () => {
  const store = openSecrets(folder.path, [])
  const secrets = store.secrets({ ledger: 'postgres://ledger' })
  expect(secrets.get('ledger-database')).toEqual({ LEDGER_DATABASE_URL: 'postgres://ledger' })
  expect(secrets.get('first-operator')).toEqual({
    OPERATOR_EMAIL: 'operator@microbank.localhost',
    OPERATOR_PASSWORD: store.operator.password,
  })
  const jwk = JSON.parse(secrets.get('token-signing-key')!.JWT_SIGNING_KEY!)
  const { keys } = JSON.parse(store.configMaps().get('token-keys')!.JWKS!)
  expect(keys).toEqual([{ kty: 'OKP', crv: 'Ed25519', x: jwk.x, alg: 'EdDSA', use: 'sig', kid: jwk.kid }])
  const data = Buffer.from('a token')
  const signature = sign(null, data, createPrivateKey({ key: jwk, format: 'jwk' }))
  expect(verify(null, data, createPublicKey({ key: keys[0], format: 'jwk' }), signature)).toBe(true)
})

test('a damaged file is not replaced: the data could not be opened with other passwords', () => {
  writeFileSync(`${folder.path}/secrets.json`, '{"half')
  expect(() => openSecrets(folder.path, [])).toThrow(/secrets.json can't be read/)
})
