import { Link } from 'wouter'
import { useConfirmEmail } from '../../data/me.ts'
import { Button } from '../../parts/button.tsx'
import { Page } from '../../parts/page.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { useLinkToken } from './link-token.ts'
import { texts } from './links.texts.ts'

/** Where a mailed link leads to confirm an address: `/confirm-email#token=...`. It takes a click: programs
 * that look at mails open their links, and some run the scripts. */
export default function ConfirmEmail() {
  const token = useLinkToken()
  return <ConfirmByClick key={token} token={token} />
}

function ConfirmByClick({ token }: { token: string | null }) {
  const said = useTexts(texts)
  const confirm = useConfirmEmail()
  return (
    <Page title={said.confirmTitle} width="narrow">
      <PlainPanel>
        {token === null && (
          <>
            <p>{said.noToken}</p>
            <Link href="/">{said.home}</Link>
          </>
        )}
        <ProblemNote problem={confirm.error} />
        {token !== null && !confirm.isSuccess && (
          <Button look="primary" disabled={confirm.isPending} onClick={() => confirm.mutate(token)}>
            {said.confirm}
          </Button>
        )}
        <p role="status">{confirm.isSuccess && said.confirmed}</p>
        {confirm.isSuccess && <Link href="/">{said.home}</Link>}
      </PlainPanel>
    </Page>
  )
}
