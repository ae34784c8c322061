import { useState } from 'react'
import { Button } from '../../parts/button.tsx'
import { common } from '../../texts/common.texts.ts'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './web-hooks.module.css'
import { texts } from './web-hooks.texts.ts'

/** A secret that is shown once. A click on it selects it: pages that came without TLS have no clipboard. */
export function Secret({ secret, onKept }: { secret: string; onKept: () => void }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const [isCopied, setCopied] = useState(false)
  const clipboard = navigator.clipboard as Clipboard | undefined
  const copy = async (): Promise<void> => {
    await clipboard?.writeText(secret).then(
      () => setCopied(true),
      () => undefined,
    )
  }
  return (
    <div className={styles.secret} role="group" aria-label={said.secret}>
      <p role="status">{said.secretOnce}</p>
      <code dir="ltr">{secret}</code>
      <div className={styles.actions}>
        {clipboard && <Button onClick={() => void copy()}>{isCopied ? words.copied : words.copy}</Button>}
        <Button onClick={onKept}>{said.secretKept}</Button>
      </div>
    </div>
  )
}
