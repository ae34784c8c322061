import { concat, fromHex, fromInteger, fromUuid, must, sha256, toHex, type Bytes } from './bytes.ts'

/** What the hash of an entry is made of. */
export interface HashedEntry {
  previousHash: Bytes
  accountId: string
  version: number
  transactionId: string
  /** Minor units. */
  amount: bigint
  balanceAfter: bigint
  /** ISO 8601 in UTC, with microseconds or milliseconds. */
  createdAt: string
  /** YYYY-MM-DD; null if the entry counts from the day of its posting. */
  valueDate: string | null
}

/** Returns the hash of an entry: SHA-256 over 96 bytes, or 100 with a value date (entry_hash() in
 * 0002-transactions-and-entries.sql). Throws a ProofError for what no entry can have. */
export const hashEntry = async (entry: HashedEntry): Promise<Bytes> => sha256(bytesOf(entry))

/** Returns the bytes that are hashed. */
export const bytesOf = (entry: HashedEntry): Bytes =>
  concat([
    entry.previousHash,
    fromUuid(entry.accountId),
    fromInteger(entry.version),
    fromUuid(entry.transactionId),
    fromInteger(entry.amount),
    fromInteger(entry.balanceAfter),
    microseconds(entry.createdAt),
    entry.valueDate === null ? new Uint8Array() : day(entry.valueDate),
  ])

/** An entry as `GET /api/accounts/{id}/entries` has it, its amounts in minor units. */
export interface ListedHash {
  accountId: string
  version: number
  transactionId: string
  amount: bigint
  balanceAfter: bigint
  timestamp: string
  valueDate: string
  hash: string
  previousHash: string
}

/** Whether the hash of a listed entry is that of its content. The list doesn't say whether its value date was
 * chosen or is the day of the posting, which aren't hashed alike: either counts. */
export async function isHashRight(entry: ListedHash): Promise<boolean> {
  const { timestamp, previousHash, ...rest } = entry
  const hashed = { ...rest, createdAt: timestamp, previousHash: fromHex(previousHash, 32) }
  const isOwnDay = entry.valueDate === timestamp.slice(0, 10)
  const dates = isOwnDay ? [null, entry.valueDate] : [entry.valueDate]
  const hashes = await Promise.all(dates.map((valueDate) => hashEntry({ ...hashed, valueDate })))
  return hashes.some((hash) => toHex(hash) === entry.hash)
}

function since2000(text: string): bigint {
  const milliseconds = Date.parse(text)
  must(!Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === text, `not a time: ${text}`)
  return BigInt(milliseconds - Date.UTC(2000))
}

function microseconds(text: string): Bytes {
  const [, upTo, thousandths = '000'] = /^(.*\.\d{3})(\d{3})?Z$/.exec(text) ?? []
  must(upTo !== undefined, `not a time: ${text}`)
  return fromInteger(since2000(`${upTo}Z`) * 1000n + BigInt(thousandths))
}

const day = (text: string): Bytes => fromInteger(since2000(`${text}T00:00:00.000Z`) / 86_400_000n, 4)
