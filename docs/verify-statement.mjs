// Checks proofs of microbank: node verify-statement.mjs KEY PROOF.json ...
// KEY is the bank's public key (name+id+key) as you have long known it, not as it came with the proof.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

function must(holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}

// What is hashed: bytes, numbers, ids, times (in microseconds) and days, both counted from the year 2000.
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
function hex(text, length) {
  must(/^([0-9a-f]{2})+$/.test(text) && text.length === 2 * length, `not ${length} bytes in hex: ${text}`)
  return Buffer.from(text, 'hex')
}
function integer(value, length = 8) {
  const number = BigInt(value)
  const isOne = String(number) === String(value) && BigInt.asIntN(8 * length, number) === number
  must(isOne, `no number of ${length} bytes: ${value}`)
  const digits = BigInt.asUintN(8 * length, number).toString(16)
  return hex(digits.padStart(2 * length, '0'), length)
}
const uuid = (text) => hex(text.replaceAll('-', ''), 16)
function since2000(text) {
  must(new Date(text).toISOString() === text, `not a time: ${text}`)
  return BigInt(Date.parse(text) - Date.UTC(2000))
}
function time(text) {
  const [, upTo, thousandths] = /^(.+)(\d{3})Z$/.exec(text) ?? []
  return integer(since2000(`${upTo}Z`) * 1000n + BigInt(thousandths))
}
const day = (text) => integer(since2000(`${text}T00:00:00.000Z`) / 86_400_000n, 4)

/** The last bytes of an entry. Of a balance: its value date, if it has one. */
const valueDate = ({ value_date: text }) => (text === null ? [] : [day(text)])
/** Of what is held: what became of the hold and, if it was captured, how much of it by what. */
function outcome({ status, captured_minor: amount, transaction_id: id }) {
  const isCaptured = status === 'captured' && amount !== null && id !== null
  const isOther = ['open', 'released', 'expired'].includes(status) && amount === null && id === null
  must(isCaptured || isOther, `nothing that a hold becomes: ${status}`)
  return [Buffer.from(`hold.${status}`), ...(isCaptured ? [integer(amount), uuid(id)] : [])]
}

/** Returns the hash of the last entry, which stands for all before it, and the sum after it. */
function follow({ account, opening, entries }, kind) {
  let [version, sum, hash] = [opening.version, BigInt(opening[`${kind}_minor`]), hex(opening.hash, 32)]
  must(Number.isSafeInteger(version) && version >= 0, `not a version: ${version}`)
  must(entries.length > 0 && String(sum) === opening[`${kind}_minor`], 'the opening is not proved')
  for (const entry of entries) {
    must(entry.version === ++version, `not entry ${version}: ${entry.version}`)
    sum += BigInt(entry.amount_minor)
    must(entry[`${kind}_after_minor`] === String(sum), `wrong sum after entry ${version}`)
    const [subject, end] = kind === 'held' ? [entry.hold_id, outcome] : [entry.transaction_id, valueDate]
    const money = [integer(entry.amount_minor), integer(sum)]
    const parts = [uuid(account), integer(version), uuid(subject), ...money, time(entry.created_at)]
    hash = sha256(hash, ...parts, ...end(entry))
  }
  return { version, sum, hash }
}

/** Returns the root of a tree over the leaf at a place, with the siblings on the way up (RFC 9162, 2.1.3). */
function rootOf(leaf, place, size, path) {
  must(path.length > 0 === size > 1, 'the path has another length')
  if (size === 1) return leaf
  const half = 2 ** ((size - 1).toString(2).length - 1)
  const [sibling, rest] = [hex(path.at(-1), 32), path.slice(0, -1)]
  if (place < half) return sha256(Buffer.of(1), rootOf(leaf, place, half, rest), sibling)
  return sha256(Buffer.of(1), sibling, rootOf(leaf, place - half, size - half, rest))
}

/** Returns the size and the root of a checkpoint that the key has signed. */
function open(checkpoint, [name, id, ...key]) {
  const x = Buffer.from(key.join('+'), 'base64').toString('base64url', 1)
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const [, text, origin, size, root, signed] = /^((.+)\n(\d+)\n(.+)\n)\n([^]*)$/.exec(checkpoint) ?? []
  must(text, 'the checkpoint is no signed note')
  const named = signed.split('\n').filter((line) => line.startsWith(`— ${name} `))
  const signatures = named.map((line) => Buffer.from(line.split(' ')[2], 'base64'))
  const own = signatures.filter((bytes) => bytes.toString('hex', 0, 4) === id)
  const isRight = (bytes) => verify(null, Buffer.from(text), publicKey, bytes.subarray(4))
  must(own.length > 0 && own.every(isRight), 'the key has not signed the checkpoint')
  must(origin === name, `not a checkpoint of ${name}`)
  return { size: Number(size), root }
}

/** Throws unless the proof holds. Returns what it proves. */
export function verifyProof(proof, key) {
  const { account, opening, leaf, path, checkpoint } = proof
  const kind = 'held_minor' in opening ? 'held' : 'balance'
  const { version, sum, hash } = follow(proof, kind)
  must(leaf.version === version && leaf.hash === hash.toString('hex'), 'the entries do not lead to the leaf')
  const { size, root } = open(checkpoint, key.split('+'))
  const { index } = leaf
  must(Number.isSafeInteger(index) && index >= 0 && index < size, 'the leaf is not in the tree')
  const mark = Buffer.from(kind === 'held' ? 'holds' : '')
  const node = sha256(Buffer.of(0), uuid(account), integer(version), hash, mark)
  const isUnder = rootOf(node, index, size, path).toString('base64') === root
  must(isUnder, 'the path does not lead to the signed root')
  const from = `from ${opening[`${kind}_minor`]} at version ${opening.version}`
  const what = `${kind === 'held' ? 'what is held, ' : ''}${from} to ${sum} at version ${version}`
  return `${what}, under ${size} leaves with the root ${root}`
}

/** Throws if a proof before had another hash for the same entry. So parts that meet are of one history. */
function compare({ account, opening, leaf }, hashes) {
  for (const { version, hash } of [opening, leaf]) {
    const entry = `${'held_minor' in opening} ${uuid(account).toString('hex')} ${version}`
    must((hashes.get(entry) ?? hash) === hash, `a proof before has another entry ${version} of the account`)
    hashes.set(entry, hash)
  }
}

const hashes = new Map()
if (process.argv[1]?.endsWith('verify-statement.mjs'))
  for (const file of process.argv.slice(3))
    try {
      const proof = JSON.parse(readFileSync(file, 'utf8'))
      const what = verifyProof(proof, process.argv[2])
      compare(proof, hashes)
      console.log(`${file} holds: ${what}`)
    } catch (error) {
      console.log(`${file} DOES NOT HOLD: ${error.message}`)
      process.exitCode = 1
    }
