import { createHash } from 'node:crypto'
import { isConsistent } from '../../host/transparency/consistency.ts'
import { testLedger, type TestLedger } from '../testing/ledger-fixture.ts'

/** The tree against the known answers of others: the figure of RFC 9162, 2.1.5, whose leaves have the values
 * that implementations of RFC 6962 test with, and the vectors of draft-ietf-plants-merkle-tree-certs. */

let ledger: TestLedger

const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** Makes the tree of these leaves, in several steps. */
async function grow(leaves: readonly Buffer[], steps: readonly number[]): Promise<void> {
  await ledger.owner.query({ text: 'alter table seal_nodes disable trigger user' })
  await ledger.owner.query({ text: 'truncate seal_nodes' })
  await ledger.owner.query({ text: 'alter table seal_nodes enable trigger user' })
  let size = 0
  for (const step of steps) {
    const added = leaves.slice(size, size + step).map((leaf) => sha256(hex('00'), leaf))
    await ledger.owner.query({
      text: 'insert into seal_nodes select 0, $1 + n - 1, hash from unnest($2::bytea[]) with ordinality leaf (hash, n)',
      values: [size, added],
    })
    await ledger.owner.query({ text: 'select grow_tree($1, $2)', values: [size, size + step] })
    size += step
  }
  expect(size).toBe(leaves.length)
}

const ask = async <T>(call: string, ...values: number[]): Promise<T> => {
  const [row] = await ledger.owner.query<{ value: T }>({ text: `select ${call} as value`, values })
  return row!.value
}
const root = (size: number) => ask<Buffer>('tree_root(0, $1)', size)
const inclusion = (leaf: number, size: number) => ask<Buffer[]>('inclusion_path($1, $2)', leaf, size)
const consistency = (from: number, to: number) => ask<Buffer[]>('consistency_path($1, $2)', from, to)

const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(hex)

const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** The nodes of the RFC's figure of seven leaves, by their letters. */
const NODES: Record<string, string> = {
  b: '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  c: '0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7',
  d: '07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7',
  f: '4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658',
  g: 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  h: '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  i: '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  j: 'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
  k: 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
}
NODES.l = sha256(hex('01'), hex(NODES.i!), hex(NODES.j!)).toString('hex')

const letters = (path: readonly Buffer[]): string =>
  path
    .map((hash) => Object.entries(NODES).find(([, value]) => value === hash.toString('hex'))?.[0] ?? '?')
    .join(' ')

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

describe('a tree of eight leaves', () => {
  beforeAll(() => grow(LEAVES, [1, 2, 0, 4, 1]))

  test('has the known root at each size', async () => {
    for (const [size, known] of ROOTS.entries()) expect((await root(size)).toString('hex')).toBe(known)
  })

  test('has the inclusion proofs of the RFC', async () => {
    const found = await Promise.all([0, 3, 4, 6].map((leaf) => inclusion(leaf, 7)))
    expect(found.map(letters)).toEqual(['b h l', 'c g l', 'f j k', 'i k'])
  })

  test('has the consistency proofs of the RFC', async () => {
    const found = await Promise.all([3, 4, 6].map((size) => consistency(size, 7)))
    expect(found.map(letters)).toEqual(['c d g l', 'l', 'i j k'])
  })
})

describe('a tree of 130 leaves', () => {
  const SIZE = 130
  beforeAll(() =>
    grow(
      Array.from({ length: SIZE }, (_, i) => Buffer.from([i])),
      [7, 64, 1, 58],
    ),
  )

  test('has the known root over each of its parts', async () => {
    let text = ''
    for (let beyond = 0; beyond <= SIZE; beyond++)
      for (let first = 0; first <= beyond; first++) {
        let width = 1
        while (width < beyond - first) width *= 2
        if (first % width !== 0) continue
        text += `[${first}, ${beyond}) ${(await ask<Buffer>('tree_root($1, $2)', first, beyond)).toString('hex')}\n`
      }
    expect(sha256(text).toString('hex')).toBe(
      'b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81',
    )
  })

  test('is consistent with each smaller one, and a changed proof or root shows', async () => {
    const at = async (size: number) => ({ size: BigInt(size), root: await root(size) })
    const newer = await at(SIZE)
    for (let size = 1; size <= SIZE; size++) {
      const older = await at(size)
      const proof = await consistency(size, SIZE)
      const changed = (hash: Buffer): Buffer => Buffer.from(hash.map((byte) => byte ^ 1))
      expect(isConsistent(older, newer, proof)).toBe(true)
      expect(isConsistent({ ...older, root: changed(older.root) }, newer, proof)).toBe(false)
      expect(isConsistent(older, { ...newer, root: changed(newer.root) }, proof)).toBe(false)
      expect(isConsistent(older, newer, [...proof, older.root])).toBe(false)
      expect(isConsistent({ ...older, size: older.size + 1n }, newer, proof)).toBe(false)
      for (const [i, hash] of proof.entries()) {
        expect(isConsistent(older, newer, proof.with(i, changed(hash)))).toBe(false)
        expect(isConsistent(older, newer, proof.toSpliced(i, 1))).toBe(false)
      }
    }
  })
})
