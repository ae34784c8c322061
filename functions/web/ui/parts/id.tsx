import { useState } from 'react'
import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import styles from './id.module.css'

/** An identifier, shortened. A click copies it; where the browser has no clipboard, it shows it whole. */
export function Id({ value }: { value: string }) {
  const texts = useTexts(common)
  const [state, setState] = useState<'short' | 'whole' | 'copied'>('short')
  const short = value.length > 12 ? `${value.slice(0, 4)}…${value.slice(-4)}` : value
  // Pages that came without TLS have none.
  const clipboard = navigator.clipboard as Clipboard | undefined
  const copy = async (): Promise<void> => {
    try {
      if (!clipboard) return setState('whole')
      await clipboard.writeText(value)
      setState('copied')
    } catch {
      setState('whole')
    }
  }
  return (
    <button
      type="button"
      className={styles.id}
      title={value}
      onClick={() => void copy()}
      onFocus={() => setState('whole')}
      onBlur={() => setState('short')}
    >
      <code>{state === 'short' ? short : value}</code>
      <span className="visually-hidden">{texts.copy}</span>
      <span role="status">{state === 'copied' && texts.copied}</span>
    </button>
  )
}
