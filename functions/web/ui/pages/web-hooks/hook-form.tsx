import { useMemo, useState } from 'react'
import { hookTypesFor } from '../../data/hook-types.ts'
import { useSession } from '../../data/session.ts'
import type { HookDraft } from '../../data/web-hooks.ts'
import { Button } from '../../parts/button.tsx'
import { useEntered } from '../../parts/entered.ts'
import { Field } from '../../parts/field.tsx'
import forms from '../../parts/form.module.css'
import { Form } from '../../parts/form.tsx'
import { isLaptop } from '../../parts/is-laptop.ts'
import { faultOf, shownProblem } from '../../parts/problem.ts'
import { common } from '../../texts/common.texts.ts'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './web-hooks.module.css'
import { texts } from './web-hooks.texts.ts'

interface HookFormProps {
  /** Of the form, unique on its page. */
  name: string
  /** What the button says. */
  word: string
  act: { error: unknown; isPending: boolean }
  before?: HookDraft
  onDo: (asked: HookDraft) => void
  close: () => void
}

/** Asks where a web hook leads, and which events it gets. */
export function HookForm({ name, word, act, before, onDo, close }: HookFormProps) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const [types, setTypes] = useEntered<readonly string[]>(`${name} types`, before?.types ?? [])
  const [fault, setFault] = useState<unknown>()
  const refusal = useMemo(() => inWords(act.error, said.urlFaults), [act.error, said])
  const submit = ({ url = '' }: Record<string, string>): void => {
    if (types.length === 0) return setFault(faultOf('/types', said.chooseType))
    setFault(undefined)
    onDo({ url: url.trim(), types: [...types] })
  }
  return (
    <Form name={name} problem={fault ?? refusal} onSubmit={submit}>
      <Field
        name="url"
        label={said.url}
        hint={isLaptop ? said.urlHintHere : said.urlHint}
        defaultValue={before?.url}
        inputMode="url"
        autoComplete="off"
        maxLength={2000}
        required
        autoFocus
        dir="ltr"
      />
      <TypeChoice types={types} setTypes={setTypes} fault={fault ? said.chooseType : undefined} />
      <div className={forms.buttons}>
        <Button type="submit" look="primary" disabled={act.isPending}>
          {word}
        </Button>
        <Button onClick={close}>{words.cancel}</Button>
      </div>
    </Form>
  )
}

function TypeChoice({
  types,
  setTypes,
  fault,
}: {
  types: readonly string[]
  setTypes: (types: readonly string[]) => void
  fault: string | undefined
}) {
  const said = useTexts(texts)
  const { role } = useSession()
  const choose = (type: string, isOn: boolean): void =>
    setTypes(isOn ? [...types, type] : types.filter((each) => each !== type))
  return (
    <fieldset className={styles.choice} aria-describedby={fault && 'no-type'}>
      <legend>{said.types}</legend>
      {fault && (
        <p id="no-type" className={styles.fault}>
          {fault}
        </p>
      )}
      {hookTypesFor(role).map((group) => (
        <div key={group.context} role="group" aria-label={said.contexts[group.context]}>
          <p className={forms.soft}>{said.contexts[group.context]}</p>
          <div className={styles.group}>
            {group.types.map((type) => (
              <label key={type} className={styles.type}>
                <input
                  type="checkbox"
                  name="types"
                  className={styles.check}
                  checked={types.includes(type)}
                  onChange={({ currentTarget }) => choose(type, currentTarget.checked)}
                />
                <code>{type}</code>
              </label>
            ))}
          </div>
        </div>
      ))}
    </fieldset>
  )
}

/** Returns a refusal whose faults of the URL are in the reader's words. */
function inWords(error: unknown, urlFaults: Readonly<Record<string, string>>): unknown {
  const { code, errors } = shownProblem(error)
  const [first] = errors
  if (code !== 'web-hook-url-refused' || !first) return error
  return faultOf('/url', urlFaults[first.message] ?? first.message)
}
