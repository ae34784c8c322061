import { Button } from '../../parts/button.tsx'
import { useEntered } from '../../parts/entered.ts'
import { Choice, Field } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './account.texts.ts'
import styles from './account.module.css'
import { entryTypes, hasFilters, type ShownFilters } from './filters.ts'

/** Chooses which entries to show; folded while all are shown. */
export function FilterForm({
  filters,
  onShow,
}: {
  filters: ShownFilters
  onShow: (filters: Partial<ShownFilters>) => void
}) {
  const said = useTexts(texts)
  const [isOpen, setOpen] = useEntered('filtering', hasFilters(filters))
  const kinds = [
    { value: '', text: said.allTypes },
    ...entryTypes.map((value) => ({ value, text: said.kinds[value] })),
  ]
  return (
    <details
      className={styles.filters}
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{said.filters}</summary>
      <Form name="filters" onSubmit={onShow}>
        <div className={styles.filterFields}>
          <Choice name="type" label={said.type} options={kinds} defaultValue={filters.type} />
          <Field name="from" label={said.from} type="date" defaultValue={filters.from} />
          <Field name="to" label={said.to} type="date" defaultValue={filters.to} />
          <Field
            name="query"
            label={said.search}
            type="search"
            maxLength={200}
            defaultValue={filters.query}
          />
        </div>
        <div className={styles.buttons}>
          <Button type="submit">{said.apply}</Button>
        </div>
      </Form>
    </details>
  )
}
