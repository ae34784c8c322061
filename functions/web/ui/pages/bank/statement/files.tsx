import { Link } from 'wouter'
import { statementAddress, statementFormats, useFileStatement } from '../../../data/statements.ts'
import { FileLink } from '../../../panels/file-link.tsx'
import { Button } from '../../../parts/button.tsx'
import { drawnAt } from '../../../parts/days.ts'
import { PlainPanel } from '../../../parts/panel.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { askedOf, dayAfter, hasEnded, type ShownStatement } from './period.ts'
import styles from './statement.module.css'
import { texts } from './statement.texts.ts'

/** The statement as files, and as a document of the customer. */
export function Files({ accountId, shown }: { accountId: string; shown: ShownStatement }) {
  const said = useTexts(texts)
  const filing = useFileStatement(accountId)
  const now = drawnAt()
  const asked = askedOf(shown, now)
  const [from, to] = [shown.from, dayAfter(shown.to)]
  const isOver = hasEnded(shown, now)
  const isFiled = filing.isSuccess && filing.variables.from === from && filing.variables.to === to
  return (
    <PlainPanel title={said.files}>
      <ul className={styles.buttons}>
        {statementFormats.map((format) => (
          <li key={format}>
            {/* The browser saves the file, or shows the JSON. */}
            <FileLink className={styles.link} href={statementAddress(accountId, asked, format)}>
              {format === 'json'
                ? said.open('JSON')
                : said.download(format === 'camt.053' ? format : format.toUpperCase())}
            </FileLink>
          </li>
        ))}
      </ul>
      <p className={styles.hint}>{said.pdfHint}</p>
      <div className={styles.filing}>
        <Button
          disabled={!isOver || filing.isPending || isFiled}
          onClick={() => filing.mutate({ from, to, format: 'pdf' })}
        >
          {said.file}
        </Button>
        <p className={styles.hint}>{isOver ? said.fileHint : said.notOver}</p>
      </div>
      <div role="status">
        {isFiled && (
          <p>
            {said.filed} <Link href="/documents">{said.documents}</Link>
          </p>
        )}
      </div>
      <ProblemNote problem={filing.error} />
    </PlainPanel>
  )
}
