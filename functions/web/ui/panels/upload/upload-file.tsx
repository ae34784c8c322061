import { useRef } from 'react'
import { uploadOf, useUpload } from '../../data/documents.ts'
import { Button } from '../../parts/button.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { formatNumber } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import styles from './upload.module.css'
import { texts } from './upload.texts.ts'

const ACCEPTED = 'image/png,image/jpeg,image/webp,application/pdf'

/** Uploads a file for the user who is signed in, or for the customer that an operator has chosen. */
export function UploadFile({ userId }: { userId?: string }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const input = useRef<HTMLInputElement>(null)
  const { upload, sent } = useUpload(userId)
  const { variables: given } = upload
  const send = (file: File | undefined): void => {
    if (file) upload.mutate(uploadOf(file))
    // The same file can be chosen again.
    if (input.current) input.current.value = ''
  }
  const again = given && (
    // Under its key, so that it can't become two documents.
    <Button onClick={() => upload.mutate(given)}>{said.again}</Button>
  )
  return (
    <div className={styles.upload}>
      <Button look="primary" disabled={upload.isPending} onClick={() => input.current?.click()}>
        {said.choose}
      </Button>
      <input
        ref={input}
        type="file"
        accept={ACCEPTED}
        hidden
        aria-label={said.choose}
        onChange={({ currentTarget }) => send(currentTarget.files?.[0])}
      />
      <p className={styles.hint}>{said.hint}</p>
      <div role="status" dir="auto">
        {upload.isSuccess && given && said.done(given.file.name)}
        {upload.isPending &&
          given &&
          said.sending(given.file.name, formatNumber(language, Math.floor(sent * 100)))}
      </div>
      {upload.isPending && (
        <progress className={styles.progress} max={1} value={sent} aria-label={said.progress} />
      )}
      <ProblemNote problem={upload.error} action={again} />
    </div>
  )
}
