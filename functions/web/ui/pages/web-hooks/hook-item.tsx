import { useHookAct, useNewHookSecret, type WebHook } from '../../data/web-hooks.ts'
import { Button } from '../../parts/button.tsx'
import { useEntered } from '../../parts/entered.ts'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { Status, type StatusKind } from '../../parts/status.tsx'
import { Sure } from '../../parts/sure.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { formatMoment } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { Deliveries } from './deliveries.tsx'
import { HookForm } from './hook-form.tsx'
import { Secret } from './secret.tsx'
import styles from './web-hooks.module.css'
import { texts } from './web-hooks.texts.ts'

interface HookItemProps {
  hook: WebHook
  /** Its newest secret, if it was made while this page is open. */
  secret: string | undefined
  onSecret: (secret: string) => void
  onKept: () => void
}

export function HookItem({ hook, secret, onSecret, onKept }: HookItemProps) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { url, types, status, paused_because: because, previous_secret_until: until } = hook
  return (
    <li className={styles.hook}>
      <h2 className={styles.url}>
        <code dir="ltr">{url}</code>
      </h2>
      <div className={styles.facts}>
        <Status kind={kindOf(hook)} word={said.status[status]} />
        {because !== null && <span>{said.because[because]}</span>}
        {until !== null && <span>{said.bothUntil(formatMoment(language, new Date(until)))}</span>}
      </div>
      <p className={styles.types}>{types.join(', ')}</p>
      {secret !== undefined && <Secret secret={secret} onKept={onKept} />}
      <Actions hook={hook} onSecret={onSecret} />
      <Deliveries hook={hook} />
    </li>
  )
}

const kindOf = ({ status, paused_because: because }: WebHook): StatusKind =>
  status === 'active' ? 'good' : because === 'asked' ? 'neutral' : 'bad'

function Actions({ hook, onSecret }: Pick<HookItemProps, 'hook' | 'onSecret'>) {
  const said = useTexts(texts)
  const [asking, setAsking] = useEntered<'change' | 'secret' | 'delete' | undefined>(
    `asking ${hook.id}`,
    undefined,
  )
  const { id, url, types, status } = hook
  const act = useHookAct()
  const another = useNewHookSecret()
  const close = (): void => {
    act.reset()
    another.reset()
    setAsking(undefined)
  }
  // Several hooks are on the page: a screen reader says which one a button is for.
  const about = { 'aria-description': url }
  if (asking === 'change')
    return (
      <HookForm
        name={`hook ${id}`}
        word={said.change}
        before={{ url, types }}
        act={act}
        close={close}
        onDo={(body) => act.mutate({ act: 'change', id, body }, { onSuccess: close })}
      />
    )
  const isPending = act.isPending || another.isPending
  return (
    <div className={styles.actions}>
      {asking === 'delete' ? (
        <Sure
          question={said.removeAsk}
          sure={said.removeSure}
          keep={said.keep}
          isPending={isPending}
          onSure={() => act.mutate({ act: 'delete', id })}
          onKeep={close}
          {...about}
        />
      ) : asking === 'secret' ? (
        <Sure
          question={hook.previous_secret_until === null ? said.newSecretAsk : said.newSecretAgain}
          sure={said.newSecretSure}
          keep={said.keepSecret}
          isPending={isPending}
          onSure={() =>
            another.mutate(id, {
              onSuccess({ secret }) {
                onSecret(secret)
                close()
              },
            })
          }
          onKeep={close}
          {...about}
        />
      ) : (
        <>
          <Button
            disabled={isPending}
            onClick={() =>
              act.mutate({
                ...{ act: 'change', id },
                body: { status: status === 'active' ? 'paused' : 'active' },
              })
            }
            {...about}
          >
            {status === 'active' ? said.pause : said.resume}
          </Button>
          <Button onClick={() => setAsking('change')} {...about}>
            {said.change}
          </Button>
          <Button onClick={() => setAsking('secret')} {...about}>
            {said.newSecret}
          </Button>
          <Button onClick={() => setAsking('delete')} {...about}>
            {said.remove}
          </Button>
        </>
      )}
      <ProblemNote problem={act.error ?? another.error} />
    </div>
  )
}
