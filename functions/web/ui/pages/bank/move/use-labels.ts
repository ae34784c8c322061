import { useMoneyText } from '../../../parts/use-money-text.ts'
import { useAccountLabel, useAccountName } from '../../../texts/account-names.ts'

/** How accounts and amounts are written where money is moved. */
export function useLabels() {
  const [nameOf, labelOf] = [useAccountName(), useAccountLabel()]
  const money = useMoneyText()
  return { money, nameOf, account: labelOf }
}
