import { groupsOf, useAccountName, type NamedAccount } from '../texts/account-names.ts'
import { useTexts } from '../texts/define-texts.ts'
import { texts } from './account-choice.texts.ts'
import { Choice } from './field.tsx'
import { useMoneyText } from './use-money-text.ts'

interface ChosenAccount extends NamedAccount {
  id: string
  currency: string
  available: string
}

/** Chooses an account, and says its whole number and what is available on it: beside the name they would be cut
 * off in a small window. `blank` stands for none. */
export function AccountChoice({
  name,
  label,
  accounts,
  value,
  onChoose,
  blank,
}: {
  name: string
  label: string
  accounts: readonly ChosenAccount[]
  value: string
  onChoose: (id: string) => void
  blank?: string
}) {
  const said = useTexts(texts)
  const [nameOf, moneyText] = [useAccountName(), useMoneyText()]
  const chosen = accounts.find(({ id }) => id === value)
  return (
    <Choice
      name={name}
      label={label}
      hint={
        chosen
          ? said.available(groupsOf(chosen.number), moneyText(chosen.available, chosen.currency))
          : '\u00a0'
      }
      options={[
        ...(blank === undefined ? [] : [{ value: '', text: blank }]),
        ...accounts.map((account) => ({
          value: account.id,
          text: `${nameOf(account)} · …${account.number.slice(-4)}`,
        })),
      ]}
      value={value}
      onChange={({ currentTarget }) => onChoose(currentTarget.value)}
    />
  )
}
