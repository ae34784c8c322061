import { useEndCustomerSession, type OpenSession } from '../../../data/customers.ts'
import type { Document } from '../../../data/documents.ts'
import type { Notification } from '../../../data/notifications.ts'
import { FileLink } from '../../../panels/file-link.tsx'
import { Button } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { ProblemNote } from '../../../parts/problem-note.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from '../office.module.css'
import { texts } from './customer.texts.ts'

/** Where the customer is signed in, and how an operator ends that. */
export function Sessions({ sessions }: { sessions: readonly OpenSession[] }) {
  const said = useTexts(texts)
  const end = useEndCustomerSession()
  const deviceOf = ({ browser, system }: OpenSession): string =>
    browser && system ? said.on(browser, system) : (browser ?? system ?? said.unknownDevice)
  return (
    <>
      <ProblemNote problem={end.error} />
      <DataList
        label={said.sessions}
        rows={sessions}
        keyOf={({ id }) => id}
        columns={[
          { title: said.device, cell: deviceOf },
          { title: said.since, cell: ({ started_at: at }) => <Moment at={at} /> },
          { title: said.lastActive, cell: ({ continued_at: at }) => <Moment at={at} /> },
          {
            title: said.action,
            align: 'end',
            cell: (session) => (
              <Button
                aria-label={said.endSessionOf(deviceOf(session))}
                disabled={end.isPending}
                onClick={() => end.mutate(session.id)}
              >
                {said.endSession}
              </Button>
            ),
          },
        ]}
      />
    </>
  )
}

const DOCUMENT_KINDS = { processing: 'warn', ready: 'good', refused: 'bad' } as const

export function Documents({ documents }: { documents: readonly Document[] }) {
  const [said, language] = [useTexts(texts), useLanguage()]
  return (
    <DataList
      label={said.documents}
      rows={documents}
      keyOf={({ public_id: id }) => id}
      columns={[
        {
          title: said.file,
          cell: ({ status, url, file_name: name }) =>
            status === 'ready' ? (
              <FileLink href={url} download dir="auto">
                {name}
              </FileLink>
            ) : (
              <bdi>{name}</bdi>
            ),
        },
        {
          title: said.state,
          cell: ({ status }) => <Status kind={DOCUMENT_KINDS[status]} word={said.documentStates[status]} />,
        },
        {
          title: said.source,
          cell: ({ statement, by_bank: isByBank }) =>
            said.sources[statement ? 'statement' : isByBank ? 'bank' : 'customer'],
        },
        { title: said.when, cell: ({ created_at: at }) => <Moment at={at} /> },
        {
          title: said.size,
          align: 'end',
          cell: ({ size }) => said.kb(formatNumber(language, Math.ceil(size / 1000))),
        },
      ]}
    />
  )
}

const MESSAGE_KINDS = { stored: 'cold', sent: 'good', failed: 'bad' } as const

export function Messages({ messages }: { messages: readonly Notification[] }) {
  const said = useTexts(texts)
  return (
    <DataList
      label={said.messages}
      rows={messages}
      keyOf={({ id }) => id}
      columns={[
        {
          title: said.when,
          cell: ({ timestamp: at }) => (
            <span className={styles.when}>
              <Moment at={at} />
            </span>
          ),
        },
        {
          title: said.message,
          cell: ({ message }) => (
            <span className={styles.message} dir="auto">
              {message}
            </span>
          ),
        },
        { title: said.channel, cell: ({ channel }) => said.channels[channel] },
        {
          title: said.state,
          // What is shown in the bank has arrived when it is stored.
          cell: ({ channel, status, read_at: readAt }) =>
            channel === 'in-app' ? (
              <Status kind={readAt ? 'good' : 'neutral'} word={readAt ? said.read : said.unread} />
            ) : (
              <Status kind={MESSAGE_KINDS[status]} word={said.messageStates[status]} />
            ),
        },
      ]}
    />
  )
}
