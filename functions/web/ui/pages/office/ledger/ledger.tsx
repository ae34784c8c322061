import { Page } from '../../../parts/page.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Invariants } from './invariants.tsx'
import { texts } from './ledger.texts.ts'
import { Postings } from './postings.tsx'
import { Stops } from './stops.tsx'

/** Whether the books are right, and whether postings go on. */
export default function Ledger() {
  const said = useTexts(texts)
  return (
    <Page title={said.title}>
      <Invariants />
      <Stops />
      <Postings />
    </Page>
  )
}
