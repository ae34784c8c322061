import type { Account } from '../../../data/accounts.ts'
import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useAccountLabel, useAccountName } from '../../../texts/account-names.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { texts } from './move.texts.ts'

/** How accounts and amounts are written where money is moved. */
export function useLabels() {
  const said = useTexts(texts)
  const [nameOf, labelOf] = [useAccountName(), useAccountLabel()]
  const money = useMoneyText()
  return {
    money,
    nameOf,
    account: labelOf,
    option: (account: Account): string =>
      said.option(labelOf(account), money(account.available, account.currency)),
  }
}
