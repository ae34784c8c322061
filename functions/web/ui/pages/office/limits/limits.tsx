import { Page } from '../../../parts/page.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { AccountLimits } from './account-limits.tsx'
import { FeeList } from './fee-list.tsx'
import { texts } from './limits.texts.ts'
import { NewFee } from './new-fee.tsx'

/** What transactions cost, and what may go out of an account. */
export default function LimitsAndFees() {
  const said = useTexts(texts)
  return (
    <Page title={said.title}>
      <FeeList />
      <NewFee />
      <AccountLimits />
    </Page>
  )
}
