import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'

/** The name of the ledger's tree: the first line of its checkpoints, and the name of the keys that sign
 * them. */
export const LEDGER_ORIGIN = 'microbank.dev/ledger'

/** A tree at one size. */
export interface Checkpoint {
  size: bigint
  /** 32 bytes. */
  root: Buffer
}

/** Thrown for a checkpoint that is malformed, or that none of the trusted keys has signed. */
export class CheckpointError extends Error {}

const ED25519 = 1
const SIGNATURES_MAX = 16

/** Returns the checkpoint as a signed note (c2sp.org/tlog-checkpoint, c2sp.org/signed-note) with one
 * signature for each key. `keys` are private Ed25519 keys as JWKs. */
export function signCheckpoint({ size, root }: Checkpoint, keys: readonly JsonWebKey[]): string {
  const text = `${LEDGER_ORIGIN}\n${size}\n${root.toString('base64')}\n`
  const signatures = keys.map((jwk) => {
    const signature = sign(null, Buffer.from(text), createPrivateKey({ key: jwk, format: 'jwk' }))
    return `— ${LEDGER_ORIGIN} ${Buffer.concat([keyId(publicBytes(jwk)), signature]).toString('base64')}\n`
  })
  return `${text}\n${signatures.join('')}`
}

/** Returns the public half of a key in the form that c2sp.org/signed-note gives to verifiers:
 * `name+id+key`. */
export function verifierKey(jwk: JsonWebKey): string {
  const key = publicBytes(jwk)
  const typed = Buffer.concat([Buffer.from([ED25519]), key])
  return `${LEDGER_ORIGIN}+${keyId(key).toString('hex')}+${typed.toString('base64')}`
}

/** Returns what a signed checkpoint of the ledger says. Throws a CheckpointError if it says nothing, or as
 * openNote() does. */
export function openCheckpoint(note: string, keys: readonly string[]): Checkpoint {
  const [origin, size = '', root = '', ...rest] = openNote(note, keys).split('\n')
  const bytes = Buffer.from(root, 'base64')
  const isWhole = /^(0|[1-9][0-9]{0,15})$/.test(size) && bytes.toString('base64') === root
  if (origin !== LEDGER_ORIGIN || !isWhole || bytes.length !== 32 || rest.join() !== '')
    throw new CheckpointError(`The note is no checkpoint of ${LEDGER_ORIGIN}.`)
  return { size: BigInt(size), root: bytes }
}

/** Returns the text of a signed note. Throws a CheckpointError unless at least one of the keys has signed it,
 * and no signature of one of them is wrong. Other signatures are ignored. `keys` are verifier keys. */
export function openNote(note: string, keys: readonly string[]): string {
  const [, text, signed] = /^([^]*\n)\n((?:— [^\n]+\n)+)$/.exec(note) ?? []
  if (text === undefined || signed === undefined) throw new CheckpointError('The text is no signed note.')
  const signatures = signed.trimEnd().split('\n')
  if (signatures.length > SIGNATURES_MAX) throw new CheckpointError('The note has too many signatures.')
  const known = new Map(keys.map((key) => readVerifierKey(key)))
  const judged = signatures.flatMap((line) => {
    const [, name, value = ''] = line.split(' ')
    const bytes = Buffer.from(value, 'base64')
    const key = known.get(`${name}+${bytes.toString('hex', 0, 4)}`)
    return key ? [verify(null, Buffer.from(text), key, bytes.subarray(4))] : []
  })
  if (judged.length === 0) throw new CheckpointError('None of the known keys has signed the note.')
  if (judged.includes(false)) throw new CheckpointError('A signature of the note is wrong.')
  return text
}

/** Returns a verifier key as its name with its id, and the key. Throws if it is not of Ed25519, or if its id
 * is not its own. */
function readVerifierKey(text: string): readonly [string, KeyObject] {
  const [, name = '', id = '', value = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? []
  const bytes = Buffer.from(value, 'base64')
  const key = bytes.subarray(1)
  if (bytes[0] !== ED25519 || key.length !== 32 || keyId(key, name).toString('hex') !== id)
    throw new Error(`expected name+id+key of an Ed25519 key (c2sp.org/signed-note), not '${text}'`)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }
  return [`${name}+${id}`, createPublicKey({ key: jwk, format: 'jwk' })]
}

const publicBytes = ({ x = '' }: JsonWebKey): Buffer => Buffer.from(x, 'base64url')

const keyId = (key: Buffer, name = LEDGER_ORIGIN): Buffer =>
  createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519]), key]))
    .digest()
    .subarray(0, 4)
