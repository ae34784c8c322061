import { useQuery } from '@tanstack/react-query'
import { preferencesQuery, useSavePreferences, type Preferences } from '../../data/notifications.ts'
import { Button, ButtonLink } from '../../parts/button.tsx'
import { DataList } from '../../parts/data-list.tsx'
import { useEntered } from '../../parts/entered.ts'
import { Choice } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import styles from './message-preferences.module.css'
import { texts } from './message-preferences.texts.ts'

type Channel = Preferences['channels'][number]
type Events = Preferences['events']
type ToldType = keyof Events

/** Always sent, over every channel (docs/notifications.md). The bank refuses to switch them off. */
const SECURITY: readonly ToldType[] = ['session.started', 'password.changed', 'email.changed']
const CHANNELS: readonly Channel[] = ['email', 'sms', 'push', 'webhook']

/** Which messages leave the bank, in which language and over which channels. */
export default function MessagePreferences() {
  const said = useTexts(texts)
  const preferences = useQuery({ ...preferencesQuery(), refetchOnWindowFocus: false })
  return (
    <Page title={said.title} actions={<ButtonLink href="/notifications">{said.back}</ButtonLink>}>
      <Panel query={preferences} rows={8} starts="preferences">
        {(given) => <Preferring given={given} />}
      </Panel>
    </Page>
  )
}

function Preferring({ given }: { given: Preferences }) {
  const said = useTexts(texts)
  const [events, setEvents] = useEntered('events', given.events)
  const save = useSavePreferences()
  const shown = given.channels.length > 0 ? CHANNELS.filter((one) => given.channels.includes(one)) : CHANNELS
  const types = (Object.keys(events) as ToldType[]).filter((type) => !SECURITY.includes(type))
  const choose = (type: ToldType, channel: Channel, isOn: boolean): void => {
    save.reset()
    setEvents({ ...events, [type]: { ...events[type], [channel]: isOn } })
  }
  const checkbox = (type: ToldType, channel: Channel) => (
    <input
      type="checkbox"
      className={styles.check}
      aria-label={`${said.events[type]}: ${said.channels[channel]}`}
      checked={events[type]?.[channel] ?? false}
      onChange={({ currentTarget }) => choose(type, channel, currentTarget.checked)}
    />
  )
  return (
    <Form
      name="preferences"
      problem={save.error}
      onSubmit={({ language }) => {
        const chosen = Object.fromEntries(types.map((type) => [type, events[type]]))
        save.mutate({ language: language === 'de' ? 'de' : 'en', events: chosen as Events })
      }}
    >
      {given.channels.length === 0 && <p>{said.noChannel}</p>}
      {given.channels.includes('email') && given.email !== null && <p>{said.email(given.email)}</p>}
      {given.channels.includes('sms') && given.phone === null && <p>{said.noPhone}</p>}
      <Choice
        name="language"
        label={said.language}
        defaultValue={given.language}
        options={(['en', 'de'] as const).map((value) => ({ value, text: said.languages[value] }))}
      />
      <DataList
        label={said.list}
        rows={types}
        keyOf={(type) => type}
        columns={[
          { title: said.event, cell: (type) => said.events[type] },
          ...shown.map((channel) => ({
            title: said.channels[channel],
            cell: (type: ToldType) => <label className={styles.target}>{checkbox(type, channel)}</label>,
          })),
        ]}
        item={(type) => (
          <>
            {said.events[type]}
            <div className={styles.row}>
              {shown.map((channel) => (
                <label key={channel} className={styles.target}>
                  {checkbox(type, channel)} {said.channels[channel]}
                </label>
              ))}
            </div>
          </>
        )}
      />
      <p className={styles.hint}>{said.always}</p>
      <div className={styles.save}>
        <Button type="submit" look="primary" disabled={save.isPending}>
          {said.save}
        </Button>
        <span role="status">{save.isSuccess && said.saved}</span>
      </div>
    </Form>
  )
}
