import { useLocation } from 'wouter'
import { useEnterCustomer } from '../../../data/customers.ts'
import { Field } from '../../../parts/field.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import { texts } from './customers.texts.ts'

/** Enters somebody who is served at the counter, and opens their page. */
export function EnterCustomer({ close }: { close: () => void }) {
  const said = useTexts(texts)
  const [, navigate] = useLocation()
  const enter = useEnterCustomer()
  return (
    <PlainPanel title={said.enter}>
      <Ask
        name="customer"
        effects={[said.enterEffect]}
        word={said.enterNow}
        look="primary"
        act={enter}
        close={close}
        onDo={({ name = '', email = '' }) => {
          const body = { name: name.trim(), email: email.trim() }
          enter.mutate(body, { onSuccess: ({ id }) => navigate(`/office/customers/${id}`) })
        }}
      >
        <Field
          name="name"
          label={said.name}
          required
          maxLength={200}
          dir="auto"
          autoComplete="off"
          autoFocus
        />
        <Field name="email" label={said.email} type="email" required dir="ltr" autoComplete="off" />
      </Ask>
    </PlainPanel>
  )
}
