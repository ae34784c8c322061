import { auditContexts } from '../../../data/audit.ts'
import { Button } from '../../../parts/button.tsx'
import { Choice, Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './audit.module.css'
import { texts } from './audit.texts.ts'
import type { ShownAudit } from './filters.ts'

/** Chooses which entries to show. */
export function AuditFilterForm({
  filters,
  onShow,
}: {
  filters: ShownAudit
  onShow: (filters: Partial<ShownAudit>) => void
}) {
  const said = useTexts(texts)
  const contexts = [
    { value: '', text: said.all },
    ...auditContexts.map((value) => ({ value, text: said.contexts[value] })),
  ]
  return (
    <Form name="filters" onSubmit={onShow}>
      <div className={styles.fields}>
        {(['caller', 'owner', 'subject', 'operation'] as const).map((name) => (
          <Field
            key={name}
            name={name}
            label={said[name]}
            defaultValue={filters[name]}
            maxLength={200}
            autoComplete="off"
            spellCheck={false}
          />
        ))}
        <Choice name="context" label={said.context} options={contexts} defaultValue={filters.context} />
        <Field name="from" label={said.from} type="date" defaultValue={filters.from} />
        <Field name="to" label={said.to} type="date" defaultValue={filters.to} />
      </div>
      <div className={styles.buttons}>
        <Button type="submit">{said.apply}</Button>
      </div>
    </Form>
  )
}
