import { parseOptions } from '@node-rs/argon2'
import { UnavailableError } from '../../eventing/unavailable.ts'
import { hashPassword, isPassword, nobodysHash } from './password.ts'

// 2 is the library's number for argon2id.
const leastCost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

test('a password is stored as argon2id with at least the lowest cost allowed', async () => {
  expect(parseOptions(await hashPassword('grey herons wade slowly'))).toMatchObject(leastCost)
})

test('the hash used for an unknown user costs as much as a real one', async () => {
  const real = parseOptions(await hashPassword('grey herons wade slowly'))
  expect(parseOptions(nobodysHash)).toEqual(real)
})

test('the right password is recognised and another is not', async () => {
  const hash = await hashPassword('grey herons wade slowly')
  await expect(isPassword(hash, 'grey herons wade slowly')).resolves.toBe(true)
  await expect(isPassword(hash, 'Grey herons wade slowly')).resolves.toBe(false)
})

test('for a user without a password, no password is right', async () => {
  for (const hash of [null, undefined]) await expect(isPassword(hash, '')).resolves.toBe(false)
})

test('the same characters are the same password, however they are composed', async () => {
  const spellings = ['caf\u00e9 au lait noir', 'cafe\u0301 au lait noir', 'caf\u00e9\u00a0au lait noir']
  for (const chosen of spellings) {
    const hash = await hashPassword(chosen)
    for (const typed of spellings) await expect(isPassword(hash, typed)).resolves.toBe(true)
  }
})

test('if too many passwords are checked at once, the rest are told to come back', async () => {
  const hash = await hashPassword('grey herons wade slowly')
  const results = await Promise.allSettled(Array.from({ length: 100 }, () => isPassword(hash, 'x')))
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(100 - 2 - 64)
  for (const { reason } of refused) expect(reason).toBeInstanceOf(UnavailableError)
  await expect(isPassword(hash, 'grey herons wade slowly')).resolves.toBe(true)
})
