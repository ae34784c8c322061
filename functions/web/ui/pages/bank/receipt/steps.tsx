import { Status, type StatusKind } from '../../../parts/status.tsx'
import styles from './receipt.module.css'

export interface ReceiptStep {
  name: string
  text: string
  kind: StatusKind
  /** Words of the bank. */
  quote?: string
}

/** What happened, in order. */
export function Steps({ steps }: { steps: readonly ReceiptStep[] }) {
  return (
    <ol className={styles.steps}>
      {steps.map(({ name, text, kind, quote }) => (
        <li key={name}>
          <Status kind={kind} word={name} />
          <div>
            <p>{text}</p>
            {quote !== undefined && (
              <p className={styles.quote} dir="auto">
                {quote}
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  )
}
