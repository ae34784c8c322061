import { useIdleEnd } from '../data/session.ts'
import { Button } from '../parts/button.tsx'
import { useTexts } from '../texts/define-texts.ts'
import { formatSeconds } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import styles from './frame.module.css'
import { texts } from './frame.texts.ts'

/** Tells an operator whose session nobody uses when it ends. Any use keeps it; the button is for those who
 * look for what to do. */
export function IdleNote() {
  const said = useTexts(texts)
  const language = useLanguage()
  const { endsAt, stay } = useIdleEnd()
  return (
    <div role="alert">
      {endsAt !== undefined && (
        <div className={styles.idle}>
          <p>{said.idle(formatSeconds(language, new Date(endsAt)))}</p>
          <Button look="primary" onClick={stay}>
            {said.stay}
          </Button>
        </div>
      )}
    </div>
  )
}
