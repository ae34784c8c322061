import type {
  AccountStatement,
  StatementEntry,
  StatementPages,
  WriteStatement,
} from '../statements/account-statement.ts'

export const ACCOUNT_ID = '01890a5d-ac96-774b-bcce-b302099a8057'
export const OTHER_ID = '01890a5d-ac96-774b-bcce-b302099a8058'

/** A checkpoint like those that the ledger signs. Its root begins with a sign that also begins a formula. */
export const CHECKPOINT = `microbank.dev/ledger
12
+SNxj4JUwnNmpXYBuPdvdq0DLPSnxXLgkMXXiRNRZ4o=

— microbank.dev/ledger ${'Ab+/'.repeat(22)}Ab==
`

/** A statement of entries of which only what a test needs is given. */
export function sample(
  given: Partial<StatementEntry>[],
  { currency = 'USD', ...head }: Partial<AccountStatement> & { currency?: string } = {},
): { statement: AccountStatement; pages: () => StatementPages } {
  const opening = head.opening ?? 0n
  let balance = opening
  const entries = given.map((entry, index): StatementEntry => {
    const { amount = 100n } = entry
    balance += amount
    return {
      version: BigInt(index + 1),
      bookedAt: new Date(Date.UTC(2026, 0, 1, 12, 0, index)),
      valueDate: '2026-01-01',
      amount,
      balanceAfter: balance,
      transactionId: OTHER_ID,
      type: 'deposit',
      description: null,
      counterpartyAccountId: null,
      isFee: false,
      ...entry,
    }
  })
  const credits = entries.filter(({ amount }) => amount > 0n)
  const debits = entries.filter(({ amount }) => amount < 0n)
  const sum = (some: StatementEntry[]): bigint => some.reduce((total, { amount }) => total + amount, 0n)
  const statement: AccountStatement = {
    account: {
      id: ACCOUNT_ID,
      account_type: 'checking',
      currency,
      created_at: new Date('2026-01-01T10:00:00Z'),
    },
    basis: 'booking',
    ...{ from: new Date('2026-01-01'), to: new Date('2026-02-01') },
    ...{ fromVersion: 0n, toVersion: BigInt(entries.length), knownVersion: null },
    ...{ opening, closing: balance },
    credits: { count: credits.length, sum: sum(credits) },
    debits: { count: debits.length, sum: -sum(debits) },
    asOf: new Date('2026-01-31T12:00:00Z'),
    seal: null,
    ...head,
  }
  const pages = async function* (): StatementPages {
    for (let at = 0; at < entries.length; at += 2) yield entries.slice(at, at + 2)
  }
  return { statement, pages }
}

/** Writes a statement. */
export async function bytesOf(
  write: WriteStatement,
  { statement, pages }: ReturnType<typeof sample>,
): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of write(statement, pages())) parts.push(Buffer.from(part as string))
  return Buffer.concat(parts)
}
