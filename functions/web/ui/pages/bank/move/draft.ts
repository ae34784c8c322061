import type { OrderBody, ReviewedOrder } from '../../../data/money-order.ts'

export const kinds = ['transfer', 'pay', 'deposit', 'withdrawal'] as const
export type MoveKind = (typeof kinds)[number]

/** What stands in the form. The amount is as it was typed. */
export interface Draft {
  kind: MoveKind
  accountId: string
  toAccountId: string
  payee: string
  amount: string
  description: string
}

export const emptyDraft = (kind: MoveKind, accountId = ''): Draft => ({
  ...{ kind, accountId, toAccountId: '', payee: '', amount: '', description: '' },
})

/** The body that a draft asks for. `to` is the payee's account; `amount` a decimal string. */
export function toBody(
  draft: Draft,
  { amount, currency, to }: { amount: string; currency: string; to: string },
): OrderBody {
  const money = {
    account_id: draft.accountId,
    amount,
    currency,
    ...(draft.description.trim() && { description: draft.description.trim() }),
  }
  if (draft.kind === 'deposit' || draft.kind === 'withdrawal') return { ...money, type: draft.kind }
  return { ...money, type: 'transfer', to_account_id: to }
}

/** The draft that an order was made of, after a reload. */
export const draftOf = ({ body, payee }: ReviewedOrder): Draft => ({
  kind: payee ? 'pay' : body.type,
  accountId: body.account_id,
  toAccountId: 'to_account_id' in body && !payee ? body.to_account_id : '',
  payee: payee?.asked ?? '',
  amount: String(body.amount),
  description: body.description ?? '',
})
