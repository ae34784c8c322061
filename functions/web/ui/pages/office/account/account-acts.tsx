import { useState } from 'react'
import type { Account } from '../../../data/accounts.ts'
import { useActOnAccount, useSetOverdraft, type AccountAct } from '../../../data/customers.ts'
import type { Order } from '../../../data/orders.ts'
import { AmountField, useReadAmount } from '../../../parts/amount-field.tsx'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { faultOf } from '../../../parts/problem.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import styles from '../office.module.css'
import { texts } from './account.texts.ts'

/** The active orders of an account, as far as they were counted; undefined until then. */
type CountedOrders = { items: readonly Order[]; next_cursor: string | null } | undefined

const ACTS: Record<Account['status'], readonly (AccountAct | 'overdraft')[]> = {
  open: ['freeze', 'close', 'overdraft'],
  frozen: ['unfreeze', 'overdraft'],
  closed: [],
}

/** Freeze, unfreeze, close and the overdraft limit: each says what follows, and asks why. */
export function AccountActs({ account, orders }: { account: Account; orders: CountedOrders }) {
  const said = useTexts(texts)
  const [open, setOpen] = useEntered<AccountAct | 'overdraft' | undefined>('act', undefined)
  const [done, setDone] = useState('')
  const close = (): void => setOpen(undefined)
  const acts = ACTS[account.status]
  const finish = (act: AccountAct | 'overdraft') => (): void => {
    setDone(said.done[act])
    close()
  }
  return (
    <div>
      <p role="status" className={styles.status}>
        {done}
      </p>
      {open === undefined || !acts.includes(open) ? (
        <div className={styles.buttons}>
          {acts.map((act) => (
            <Button
              key={act}
              onClick={() => {
                setDone('')
                setOpen(act)
              }}
            >
              {said.acts[act]}
            </Button>
          ))}
        </div>
      ) : open === 'overdraft' ? (
        <SetOverdraft account={account} close={close} onDone={finish('overdraft')} />
      ) : (
        <ChangeStatus act={open} account={account} orders={orders} close={close} onDone={finish(open)} />
      )}
    </div>
  )
}

const isZero = (amount: string): boolean => !/[1-9]/.test(amount)

function ChangeStatus({
  act,
  account,
  orders,
  close,
  onDone,
}: {
  act: AccountAct
  account: Account
  orders: CountedOrders
  close: () => void
  onDone: () => void
}) {
  const said = useTexts(texts)
  const change = useActOnAccount(account.id)
  const isFree = isZero(account.balance) && isZero(account.held)
  const count = String(orders?.items.length ?? 0)
  const fail =
    orders === undefined
      ? said.counting
      : orders.next_cursor !== null
        ? said.moreFail(count)
        : orders.items.length === 1
          ? said.oneFails
          : said.fail(count)
  const effects =
    act === 'unfreeze'
      ? [said.effects.unfreeze]
      : act === 'close' && !isFree
        ? [said.notFree]
        : [said.effects[act], fail, ...(isZero(account.held) ? [] : [said.heldStays])]
  return (
    <Ask
      name={act}
      effects={effects}
      word={said.actNow[act]}
      look={act === 'unfreeze' ? 'primary' : 'danger'}
      act={change}
      needsReason
      canDo={act !== 'close' || isFree}
      close={close}
      onDo={({ reason = '' }) => change.mutate({ act, reason: reason.trim() }, { onSuccess: onDone })}
    />
  )
}

function SetOverdraft({
  account,
  close,
  onDone,
}: {
  account: Account
  close: () => void
  onDone: () => void
}) {
  const said = useTexts(texts)
  const readAmount = useReadAmount()
  const change = useSetOverdraft(account.id)
  const [fault, setFault] = useState<unknown>()
  const { currency, overdraft_limit: limit } = account
  const submit = ({ overdraft_limit: typed = '', reason = '' }: Record<string, string>): void => {
    const read = readAmount(typed, currency, { takesZero: true })
    if ('message' in read) return setFault(faultOf('/overdraft_limit', read.message))
    setFault(undefined)
    change.mutate({ overdraft_limit: read.amount, reason: reason.trim() }, { onSuccess: onDone })
  }
  return (
    <Ask
      name="overdraft"
      effects={[said.effects.overdraft]}
      word={said.actNow.overdraft}
      look="primary"
      act={change}
      problem={fault}
      needsReason
      close={close}
      onDo={submit}
    >
      <AmountField
        name="overdraft_limit"
        label={said.limit}
        currency={currency}
        defaultAmount={limit}
        takesZero
        required
        autoFocus
      />
    </Ask>
  )
}
