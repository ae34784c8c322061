import { useSendMessage, type MessageBody } from '../../../data/customers.ts'
import { useEntered } from '../../../parts/entered.ts'
import { Choice, LongField } from '../../../parts/field.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { Ask } from '../ask.tsx'
import { texts } from './customer.texts.ts'

const CHANNELS = ['in-app', 'email', 'sms', 'push'] as const
const TEMPLATES = ['please-call', 'documents-needed', 'details-outdated'] as const

/** Sends a customer a message: in the operator's words, or one that the bank has in all languages. */
export function SendMessage({
  userId,
  close,
  done,
}: {
  userId: string
  close: () => void
  done: (sentence: string) => void
}) {
  const said = useTexts(texts)
  const send = useSendMessage()
  const [template, setTemplate] = useEntered('template', '')
  const submit = ({ channel, message = '' }: Record<string, string>): void => {
    const chosen = TEMPLATES.find((each) => each === template)
    const body: MessageBody = {
      user_id: userId,
      channel: CHANNELS.find((each) => each === channel) ?? 'in-app',
      ...(chosen ? { template: chosen } : { message: message.trim() }),
    }
    send.mutate(body, { onSuccess: () => done(said.sent) })
  }
  return (
    <PlainPanel title={said.send}>
      <Ask
        name="message"
        effects={[]}
        word={said.sendNow}
        look="primary"
        act={send}
        close={close}
        onDo={submit}
      >
        <Choice
          name="channel"
          label={said.channel}
          options={CHANNELS.map((value) => ({ value, text: said.channels[value] }))}
          autoFocus
        />
        <Choice
          name="template"
          label={said.template}
          options={[
            { value: '', text: said.ownWords },
            ...TEMPLATES.map((value) => ({ value, text: said.templates[value] })),
          ]}
          value={template}
          onChange={({ currentTarget }) => setTemplate(currentTarget.value)}
        />
        {template === '' && (
          <LongField name="message" label={said.message} required maxLength={2000} dir="auto" />
        )}
      </Ask>
    </PlainPanel>
  )
}
