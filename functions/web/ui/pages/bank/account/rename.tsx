import type { Account } from '../../../data/accounts.ts'
import { useRenameAccount } from '../../../data/account.ts'
import styles from '../../../panels/account/account.module.css'
import { texts } from '../../../panels/account/account.texts.ts'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { common } from '../../../texts/common.texts.ts'
import { useTexts } from '../../../texts/define-texts.ts'

/** A button that opens a form for the name. */
export function Rename({ account }: { account: Account }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const [isOpen, setOpen] = useEntered('renaming', false)
  const rename = useRenameAccount(account.id)
  if (!isOpen) return <Button onClick={() => setOpen(true)}>{said.rename}</Button>
  const close = (): void => {
    setOpen(false)
    rename.reset()
  }
  return (
    <div className={styles.rename}>
      <Form
        name="rename"
        problem={rename.error}
        onSubmit={({ name = '' }) => rename.mutate(name.trim() || null, { onSuccess: close })}
      >
        <Field
          name="name"
          label={said.name}
          hint={said.nameHint}
          defaultValue={account.name ?? ''}
          maxLength={60}
          dir="auto"
          autoComplete="off"
          autoFocus
        />
        <div className={styles.buttons}>
          <Button type="submit" look="primary" disabled={rename.isPending}>
            {words.save}
          </Button>
          <Button onClick={close}>{words.cancel}</Button>
        </div>
      </Form>
    </div>
  )
}
