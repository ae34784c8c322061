import { Button } from '../../../parts/button.tsx'
import { drawnAt } from '../../../parts/days.ts'
import { Choice, Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { usualPeriods, type ShownStatement } from './period.ts'
import styles from './statement.module.css'
import { texts } from './statement.texts.ts'

/** Chooses the days of a statement, and by which day its entries count. */
export function PeriodForm({
  shown,
  onShow,
}: {
  shown: ShownStatement
  onShow: (next: Partial<ShownStatement>) => void
}) {
  const said = useTexts(texts)
  const usual = usualPeriods(drawnAt())
  const bases = [
    { value: 'booking', text: said.booking },
    { value: 'value', text: said.value },
  ]
  return (
    <>
      <div className={styles.buttons} role="group" aria-label={said.usual}>
        {(['thisMonth', 'lastMonth', 'lastYear'] as const).map((name) => {
          const { from, to } = usual[name]
          const isShown = shown.from === from && shown.to === to
          return (
            <Button key={name} aria-pressed={isShown} onClick={() => onShow({ from, to })}>
              {said[name]}
            </Button>
          )
        })}
      </div>
      <Form name="period" onSubmit={onShow}>
        <div className={styles.fields}>
          <Field name="from" label={said.from} type="date" required defaultValue={shown.from} />
          <Field name="to" label={said.to} type="date" required defaultValue={shown.to} />
          <Choice name="basis" label={said.basis} options={bases} defaultValue={shown.basis} />
        </div>
        <p className={styles.hint}>
          {said.days} {shown.basis === 'value' && said.valueHint}
        </p>
        <div className={styles.buttons}>
          <Button type="submit">{said.apply}</Button>
        </div>
      </Form>
    </>
  )
}
