// Checks proofs of microbank: node verify-statement.mjs KEY PROOF.json ...
// KEY is the bank's public key (name+id+key) as you have long known it, not as it came with the proof.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

function must(holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}
function hex(text, length) {
  must(/^([0-9a-f]{2})+$/.test(text) && text.length === 2 * length, `not ${length} bytes in hex: ${text}`)
  return Buffer.from(text, 'hex')
}
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
function integer(value, length = 8) {
  must(BigInt.asIntN(8 * length, BigInt(value)) === BigInt(value), `no number of ${length} bytes: ${value}`)
  const digits = BigInt.asUintN(8 * length, BigInt(value)).toString(16)
  return hex(digits.padStart(2 * length, '0'), length)
}
const uuid = (text) => hex(text.replaceAll('-', ''), 16)
function since2000(text) {
  must(new Date(text).toISOString() === text, `not a time: ${text}`)
  return BigInt(Date.parse(text) - Date.UTC(2000))
}
const micros = (text) => integer(since2000(text.replace(/...Z$/, 'Z')) * 1000n + BigInt(text.slice(-4, -1)))
const day = (text) =>
  text === null ? Buffer.of() : integer(since2000(`${text}T00:00:00.000Z`) / 86_400_000n, 4)

/** Returns the size and the root of a checkpoint that the key has signed. */
function open(checkpoint, [name, id, ...key]) {
  const x = Buffer.from(key.join('+'), 'base64').toString('base64url', 1)
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const [, text, signed] = /^([^]*\n)\n([^]*)$/.exec(checkpoint) ?? []
  must(text, 'the checkpoint is no signed note')
  const named = signed.split('\n').filter((line) => line.startsWith(`— ${name} `))
  const signatures = named.map((line) => Buffer.from(line.split(' ')[2], 'base64'))
  const own = signatures.filter((bytes) => bytes.toString('hex', 0, 4) === id)
  const isRight = (bytes) => verify(null, Buffer.from(text), publicKey, bytes.subarray(4))
  const [origin, size, root, ...more] = text.split('\n')
  must(own.length > 0 && own.every(isRight), 'the key has not signed the checkpoint')
  must(origin === name && more.join('') === '', `not a checkpoint of ${name}`)
  return { size: Number(size), root }
}

/** The bytes of what a hold has become: its status and, if it was captured, how much of it by what. */
function outcome({ status, captured_minor: captured, transaction_id: transaction }) {
  must(['open', 'captured', 'released', 'expired'].includes(status), `not a status of a hold: ${status}`)
  const isCaptured = status === 'captured'
  must((captured !== null) === isCaptured && (transaction !== null) === isCaptured, `not what is ${status}`)
  const capture = isCaptured ? [integer(captured), uuid(transaction)] : []
  return Buffer.concat([Buffer.from(`hold.${status}`), ...capture])
}

// A proof is of an account's balance or of what it holds. Of both kinds: what an entry is about, and with
// which bytes an entry and the leaf end.
const kinds = {
  balance: { subject: 'transaction_id', end: (entry) => day(entry.value_date), mark: '' },
  held: { subject: 'hold_id', end: outcome, mark: 'holds' },
}

/** Throws unless the proof holds. Returns what it proves. */
export function verifyProof({ account, opening, entries, leaf, path, checkpoint }, key) {
  const kind = 'held_minor' in opening ? 'held' : 'balance'
  const { subject, end, mark } = kinds[kind]
  const before = opening[`${kind}_minor`]
  let [version, sum, hash] = [opening.version, BigInt(before), hex(opening.hash, 32)]
  must(entries.length > 0 && String(sum) === before, 'the opening is not proved')
  must(Number.isSafeInteger(version) && version >= 0, `not a version: ${version}`)
  for (const entry of entries) {
    must(entry.version === ++version, `not entry ${version}: ${entry.version}`)
    sum += BigInt(entry.amount_minor)
    must(entry[`${kind}_after_minor`] === String(sum), `wrong sum after entry ${version}`)
    const place = [uuid(account), integer(version), uuid(entry[subject])]
    const money = [integer(entry.amount_minor), integer(sum)]
    hash = sha256(hash, ...place, ...money, micros(entry.created_at), end(entry))
  }
  must(leaf.version === version && leaf.hash === hash.toString('hex'), 'the entries do not lead to the leaf')
  const { size, root } = open(checkpoint, key.split('+'))
  let node = sha256(Buffer.of(0), uuid(account), integer(version), hash, Buffer.from(mark))
  let [place, last] = [leaf.index, size - 1]
  must(Number.isSafeInteger(place) && place >= 0 && place <= last, 'the leaf is not in the tree')
  const up = () => ([place, last] = [Math.floor(place / 2), Math.floor(last / 2)])
  for (const sibling of path) {
    must(last > 0, 'the path is too long')
    const isLeft = place % 2 === 0 && place < last
    const children = isLeft ? [node, hex(sibling, 32)] : [hex(sibling, 32), node]
    node = sha256(Buffer.of(1), ...children)
    while (!isLeft && place % 2 === 0 && place > 0) up()
    up()
  }
  must(last === 0 && node.toString('base64') === root, 'the path does not lead to the signed root')
  const what = kind === 'held' ? 'what is held, ' : ''
  const from = `${what}from ${before} at version ${opening.version}`
  return `${from} to ${sum} at version ${version}, under ${size} leaves with the root ${root}`
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
