import { useMutation } from '@tanstack/react-query'
import { checkEntry, type EntryCheck } from '../../../data/check-entry.ts'
import { Button } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import type { OwnEntry } from './entries.tsx'
import styles from './receipt.module.css'
import { texts } from './receipt.texts.ts'

/** Checks an entry in the browser. */
export function Check({ id, entry }: { id: string; entry: OwnEntry | undefined }) {
  const said = useTexts(texts)
  const check = useMutation({ mutationFn: (own: OwnEntry) => checkEntry(id, own.accountId, own) })
  if (!entry) return null
  // Browsers have it only in pages that came by TLS or from localhost.
  const canHash = (crypto.subtle as SubtleCrypto | undefined) !== undefined
  return (
    <PlainPanel title={said.check}>
      <p className={styles.hint}>{canHash ? said.checkHint : said.insecure}</p>
      {canHash && (
        <div>
          <Button disabled={check.isPending} onClick={() => check.mutate(entry)}>
            {check.isPending ? said.checking : said.checkNow}
          </Button>
        </div>
      )}
      <div className={styles.checked} aria-live="polite">
        {check.data && <Checked checked={check.data} version={String(entry.version)} />}
      </div>
      <ProblemNote problem={check.error} />
    </PlainPanel>
  )
}

function Checked({ checked: { isHashRight, proof }, version }: { checked: EntryCheck; version: string }) {
  const said = useTexts(texts)
  return (
    <>
      <Status
        kind={isHashRight ? 'good' : 'bad'}
        word={isHashRight ? said.hashRight(version) : said.hashWrong(version)}
      />
      {proof.is === 'not-sealed' && <Status kind="neutral" word={said.proofLater} />}
      {proof.is === 'no-ed25519' && <Status kind="warn" word={said.noOldKeys} />}
      {proof.is === 'wrong' && <Status kind="bad" word={said.proofWrong(proof.reason)} />}
      {proof.is === 'right' && (
        <>
          <Status kind="good" word={said.proofRight(String(proof.size))} />
          <Facts
            facts={[
              [said.signedBy, <code key="k">{proof.key}</code>],
              [said.root, <code key="r">{proof.root}</code>],
            ]}
          />
          <p className={styles.hint}>{said.compare}</p>
        </>
      )}
    </>
  )
}
