import type { Context } from '../../contexts.ts'

/** What each context is for, in the order in which the contract shows them. */
export const tags: Readonly<Record<Context, string>> = {
  identity: 'Users and their sessions.',
  ledger: 'Accounts, transactions, holds, statements, and the proof that the books are right.',
  payments: 'Payments, standing orders, payouts to many, and web hooks.',
  notifications: 'What customers are told, and how it reaches them.',
  documents: 'Images and PDFs that customers upload.',
  platform: 'What the bank runs on, for operators.',
  web: 'The front door: health, public keys, the audit of all contexts, and this contract.',
}
