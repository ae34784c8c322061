import { useChangeCustomer, type User } from '../../../data/customers.ts'
import { Field } from '../../../parts/field.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import { texts } from './customer.texts.ts'

/** Changes the name or the address of a customer. */
export function ChangeCustomer({
  user: { id, name, email },
  close,
  done,
}: {
  user: User
  close: () => void
  done: (sentence: string) => void
}) {
  const said = useTexts(texts)
  const change = useChangeCustomer(id)
  return (
    <PlainPanel title={said.change}>
      <Ask
        name="customer"
        effects={[said.changeEffect]}
        word={said.changeNow}
        look="primary"
        act={change}
        close={close}
        onDo={(values) =>
          change.mutate(
            { name: (values.name ?? '').trim(), email: (values.email ?? '').trim() },
            { onSuccess: () => done(said.changed) },
          )
        }
      >
        <Field
          name="name"
          label={said.name}
          defaultValue={name}
          required
          maxLength={200}
          dir="auto"
          autoComplete="off"
          autoFocus
        />
        <Field
          name="email"
          label={said.email}
          type="email"
          defaultValue={email}
          required
          dir="ltr"
          autoComplete="off"
        />
      </Ask>
    </PlainPanel>
  )
}
