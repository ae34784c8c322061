import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useCreateHook, webHooksQuery } from '../../data/web-hooks.ts'
import { Button, ButtonLink } from '../../parts/button.tsx'
import { useEntered } from '../../parts/entered.ts'
import { Page } from '../../parts/page.tsx'
import { Panel, PlainPanel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { HookForm } from './hook-form.tsx'
import { HookItem } from './hook-item.tsx'
import { texts } from './web-hooks.texts.ts'

/** The reader's web hooks, and what was posted to each. */
export default function WebHooks() {
  const said = useTexts(texts)
  const hooks = useQuery(webHooksQuery())
  const [isCreating, setCreating] = useEntered('creating', false)
  const create = useCreateHook()
  // Secrets that were made while this page is open, by hook. They are nowhere else, so that a session that
  // ends leaves none in the browser.
  const [secrets, setSecrets] = useState<Readonly<Record<string, string>>>({})
  const show = (id: string, secret: string): void => setSecrets((shown) => ({ ...shown, [id]: secret }))
  const hide = (id: string): void =>
    setSecrets((shown) => Object.fromEntries(Object.entries(shown).filter(([each]) => each !== id)))
  const close = (): void => {
    create.reset()
    setCreating(false)
  }
  return (
    <Page title={said.title} actions={<ButtonLink href="/me">{said.back}</ButtonLink>}>
      <PlainPanel>
        <p>{said.about}</p>
        {isCreating ? (
          <HookForm
            name="new-hook"
            word={said.createIt}
            act={create}
            close={close}
            onDo={(asked) =>
              create.mutate(asked, {
                onSuccess({ id, secret }) {
                  show(id, secret)
                  close()
                },
              })
            }
          />
        ) : (
          <div>
            <Button onClick={() => setCreating(true)}>{said.create}</Button>
          </div>
        )}
      </PlainPanel>
      <Panel query={hooks} rows={4} starts="web-hooks" empty={{ text: said.none }}>
        {(list) => (
          <ul aria-label={said.title}>
            {list.map((hook) => (
              <HookItem
                key={hook.id}
                hook={hook}
                secret={secrets[hook.id]}
                onSecret={(secret) => show(hook.id, secret)}
                onKept={() => hide(hook.id)}
              />
            ))}
          </ul>
        )}
      </Panel>
    </Page>
  )
}
