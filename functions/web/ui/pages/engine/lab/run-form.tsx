import {
  useStartRun,
  type Lab,
  type LabFault,
  type LabFaultKind,
  type LabRunRequest,
  type LabScenarioName,
} from '../../../data/lab.ts'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Choice, Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './lab.module.css'
import { texts } from './lab.texts.ts'

const BY_HAND = 'by-hand'

/** What a run shall do: a scenario, or faults by hand. A scenario fills the form, and can be changed. */
export function RunForm({ lab, isBusy }: { lab: Lab; isBusy: boolean }) {
  const said = useTexts(texts)
  const start = useStartRun()
  const [name, setName] = useEntered<LabScenarioName | typeof BY_HAND>('scenario', 'killed-after-commit')
  const scenario = lab.scenarios.find((one) => one.name === name)
  return (
    <Form
      name="run"
      problem={start.error}
      onSubmit={(values) => start.mutate(requestOf(values, lab, scenario?.name))}
    >
      <Choice
        name="scenario"
        label={said.scenario}
        value={name}
        onChange={(event) => setName(event.currentTarget.value as typeof name)}
        options={[
          ...lab.scenarios.map((one) => ({ value: one.name, text: said.scenarioNames[one.name] })),
          { value: BY_HAND, text: said.byHand },
        ]}
      />
      {scenario && <p className={styles.hypothesis}>{said.hypotheses[scenario.name]}</p>}
      {/* Another scenario begins with its own figures. */}
      <div key={name} className={styles.fields}>
        <Field
          {...{ name: 'traffic.per_second', label: said.perSecond, hint: said.perSecondHint }}
          {...{ type: 'number', min: 0, max: 200, required: true }}
          defaultValue={scenario?.traffic.per_second ?? 10}
        />
        <Field
          {...{ name: 'seconds', label: said.seconds, hint: said.secondsHint }}
          {...{ type: 'number', min: 1, max: 600, required: true }}
          defaultValue={scenario?.seconds ?? 30}
        />
        <Field
          {...{ name: 'seed', label: said.seed, hint: said.seedHint }}
          {...{ type: 'number', min: 0, max: 4_294_967_295 }}
        />
        <fieldset className={styles.faults}>
          <legend>{said.faults}</legend>
          {lab.faults.map((fault) => (
            <FaultFields
              key={fault.kind}
              {...{ fault, functions: lab.functions }}
              given={scenario?.faults.find(({ kind }) => kind === fault.kind)}
            />
          ))}
        </fieldset>
      </div>
      <Button type="submit" look="primary" disabled={isBusy || start.isPending}>
        {said.start}
      </Button>
    </Form>
  )
}

function FaultFields({
  fault: { kind, figures, of_function: isOfFunction },
  functions,
  given,
}: {
  fault: Lab['faults'][number]
  functions: readonly string[]
  given: LabFault | undefined
}) {
  const said = useTexts(texts)
  const [isOn, setOn] = useEntered(`fault ${kind}`, given !== undefined)
  return (
    <div className={styles.fault}>
      <label>
        <input type="checkbox" checked={isOn} onChange={(event) => setOn(event.currentTarget.checked)} />{' '}
        {said.kinds[kind]}
      </label>
      {isOn && (
        <div className={styles.figures}>
          {figures.map(({ name, min, max, usual }) => (
            <Field
              key={name}
              name={`${kind}.${name}`}
              label={said.figureNames[name]}
              {...{ type: 'number', min, max, required: true, defaultValue: given?.[name] ?? usual }}
            />
          ))}
          {isOfFunction && (
            <Choice
              name={`${kind}.function`}
              label={said.functionOf}
              defaultValue={given?.function ?? (kind === 'slow-consumer' ? 'notify' : '')}
              options={[
                ...(kind === 'slow-consumer' ? [] : [{ value: '', text: said.anyFunction }]),
                ...functions.map((one) => ({ value: one, text: one })),
              ]}
            />
          )}
        </div>
      )}
    </div>
  )
}

/** Returns the request of what the form has. A fault that is off has no fields. */
function requestOf(
  values: Record<string, string>,
  lab: Lab,
  scenario: LabScenarioName | undefined,
): LabRunRequest {
  const faults = lab.faults.flatMap(({ kind, figures }) => {
    const given = figures.flatMap(({ name }) => {
      const text = values[`${kind}.${name}`]
      return text === undefined || text === '' ? [] : [[name, Number(text)] as const]
    })
    return given.length === 0 ? [] : [faultOf(kind, Object.fromEntries(given), values[`${kind}.function`])]
  })
  const seed = values.seed
  return {
    ...(scenario && { scenario }),
    ...(seed !== undefined && seed !== '' && { seed: Number(seed) }),
    traffic: { per_second: Number(values['traffic.per_second']) },
    seconds: Number(values.seconds),
    faults,
  }
}

const faultOf = (kind: LabFaultKind, figures: Partial<LabFault>, target: string | undefined): LabFault => ({
  ...{ kind, ...figures },
  ...(target && { function: target }),
})
