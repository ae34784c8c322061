import { useState } from 'react'
import { useLocation } from 'wouter'
import { useDeleteMe } from '../../data/me.ts'
import { useSettings, type Density, type Theme } from '../../parts/settings.tsx'
import { Button, ButtonLink } from '../../parts/button.tsx'
import { Choice } from '../../parts/field.tsx'
import { Form } from '../../parts/form.tsx'
import { Page } from '../../parts/page.tsx'
import { PlainPanel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { Sure } from '../../parts/sure.tsx'
import { common } from '../../texts/common.texts.ts'
import { useTexts } from '../../texts/define-texts.ts'
import { useLanguage, type PageLanguage } from '../../texts/language.ts'
import type { Zone } from '../../texts/zone.ts'
import styles from './me.module.css'
import { texts } from './me.texts.ts'
import { Password } from './password.tsx'
import { Address, Profile } from './profile.tsx'
import { Sessions } from './sessions.tsx'

/** What the bank knows of its reader, where they are signed in, and how its pages look to them. */
export default function Me() {
  const said = useTexts(texts)
  return (
    <Page title={said.title}>
      <Profile />
      <Address />
      <Password />
      <Sessions />
      <WebHooks />
      <Look />
      <Removal />
    </Page>
  )
}

function WebHooks() {
  const said = useTexts(texts)
  return (
    <PlainPanel title={said.webHooks}>
      <p className={styles.note}>{said.webHooksHint}</p>
      <div className={styles.parts}>
        <ButtonLink href="/webhooks">{said.openWebHooks}</ButtonLink>
      </div>
    </PlainPanel>
  )
}

/** The languages in their own words. */
const LANGUAGES = [
  { value: 'en', text: 'English' },
  { value: 'de', text: 'Deutsch' },
]

function Look() {
  const said = useTexts(texts)
  const language = useLanguage()
  const { theme, setTheme, density, setDensity, zone, setZone, setLanguage } = useSettings()
  const densities = (['roomy', 'dense'] as const).map((value) => ({ value, text: said.densities[value] }))
  const zones = (['local', 'utc'] as const).map((value) => ({ value, text: said.zones[value] }))
  const themes = (['system', 'light', 'dark'] as const).map((value) => ({ value, text: said.themes[value] }))
  return (
    <PlainPanel title={said.look}>
      <div className={styles.form}>
        <Form name="look" onSubmit={() => undefined}>
          <Choice
            name="language"
            label={said.language}
            options={LANGUAGES}
            value={language}
            onChange={({ target }) => setLanguage(target.value as PageLanguage)}
          />
          <Choice
            name="density"
            label={said.density}
            options={densities}
            value={density}
            onChange={({ target }) => setDensity(target.value as Density)}
          />
          <Choice
            name="theme"
            label={said.theme}
            options={themes}
            value={theme}
            onChange={({ target }) => setTheme(target.value as Theme)}
          />
          <Choice
            name="zone"
            label={said.zone}
            options={zones}
            value={zone}
            onChange={({ target }) => setZone(target.value as Zone)}
          />
        </Form>
      </div>
    </PlainPanel>
  )
}

/** Asked twice: nobody can undo it. */
function Removal() {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const [isAsking, setAsking] = useState(false)
  const removal = useDeleteMe()
  const [, navigate] = useLocation()
  return (
    <PlainPanel title={said.remove}>
      <ProblemNote problem={removal.error} />
      <p className={styles.note}>{said.removeHint}</p>
      <div className={styles.parts}>
        {isAsking ? (
          <Sure
            sure={said.removeNow}
            keep={words.cancel}
            isPending={removal.isPending}
            onSure={() => removal.mutate(undefined, { onSuccess: () => navigate('/sign-in') })}
            onKeep={() => setAsking(false)}
          />
        ) : (
          <Button onClick={() => setAsking(true)}>{said.remove}</Button>
        )}
      </div>
    </PlainPanel>
  )
}
