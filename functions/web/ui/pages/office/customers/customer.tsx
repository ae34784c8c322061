import { useQueries, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useParams } from 'wouter'
import { customerQueries, type User } from '../../../data/customers.ts'
import { userQuery } from '../../../data/session.ts'
import { Button } from '../../../parts/button.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Facts } from '../../../parts/facts.tsx'
import { Id } from '../../../parts/id.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { Status } from '../../../parts/status.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { AuditPanel } from '../audit-panel.tsx'
import { AuditedNote } from '../audited-note.tsx'
import styles from '../office.module.css'
import { texts as officeTexts } from '../office.texts.ts'
import { ChangeCustomer } from './change-customer.tsx'
import { texts } from './customer.texts.ts'
import { Documents, Messages, Sessions } from './contacts.tsx'
import { Accounts, Holds, Orders } from './money-lists.tsx'
import { OpenAccountFor } from './open-account-for.tsx'
import { SendMessage } from './send-message.tsx'
import { UploadFor } from './upload-for.tsx'

type Act = 'change' | 'open' | 'send' | 'upload'

/** All that the bank knows of a customer, and what an operator can do for them. All is asked for at once. */
export default function Customer() {
  const { id = '' } = useParams<{ id: string }>()
  const said = useTexts(texts)
  const user = useQuery({ ...userQuery(id), refetchOnWindowFocus: false })
  const asked = customerQueries(id)
  const [accounts, holds, orders, sessions, documents, messages] = useQueries({
    queries: [
      ...[asked.accounts, asked.holds, asked.orders],
      ...[asked.sessions, asked.documents, asked.messages],
    ] as [
      ...[typeof asked.accounts, typeof asked.holds, typeof asked.orders],
      ...[typeof asked.sessions, typeof asked.documents, typeof asked.messages],
    ],
  })
  const [act, setAct] = useEntered<Act | undefined>('act', undefined)
  const [done, setDone] = useState('')
  const close = (): void => setAct(undefined)
  const finish = (sentence: string): void => {
    setDone(sentence)
    close()
  }
  const open = (next: Act) => (): void => {
    setDone('')
    setAct(next)
  }
  const isPending = !user.data
  const acts = !(user.error && isPending) && (
    <>
      <Button disabled={isPending} onClick={open('send')}>
        {said.send}
      </Button>
      <Button disabled={isPending} onClick={open('open')}>
        {said.open}
      </Button>
      <Button disabled={isPending} onClick={open('change')}>
        {said.change}
      </Button>
    </>
  )
  return (
    <Page title={user.data?.name ?? said.title} actions={acts}>
      {user.data && <AuditedNote />}
      <p role="status" className={styles.status}>
        {done}
      </p>
      {user.data && act === 'change' && <ChangeCustomer user={user.data} close={close} done={finish} />}
      {act === 'open' && <OpenAccountFor userId={id} close={close} done={finish} />}
      {act === 'upload' && <UploadFor userId={id} close={close} />}
      {act === 'send' && <SendMessage userId={id} close={close} done={finish} />}
      {/* Another one than the one that waited, because a long name in the heading moves what is below. */}
      <Panel key={user.data?.id} title={said.profile} query={user} starts="users" rows={5}>
        {(shown) => <Profile user={shown} />}
      </Panel>
      <Panel title={said.accounts} query={accounts} starts="accounts" empty={{ text: said.noAccounts }}>
        {(list) => <Accounts accounts={list} />}
      </Panel>
      <Panel title={said.holds} query={holds} starts="holds" rows={1} empty={{ text: said.noHolds }}>
        {(list) => <Holds holds={list} accounts={accounts.data} />}
      </Panel>
      <Panel title={said.orders} query={orders} starts="orders" rows={1} empty={{ text: said.noOrders }}>
        {(list) => <Orders orders={list} accounts={accounts.data} />}
      </Panel>
      <Panel title={said.sessions} query={sessions} starts="users" rows={1} empty={{ text: said.noSessions }}>
        {(list) => <Sessions sessions={list} />}
      </Panel>
      <Panel
        title={said.documents}
        actions={user.data && <Button onClick={open('upload')}>{said.upload}</Button>}
        query={documents}
        starts="documents"
        rows={1}
        empty={{ text: said.noDocuments }}
      >
        {(list) => <Documents documents={list} />}
      </Panel>
      <Panel
        title={said.messages}
        query={messages}
        starts="notifications"
        rows={1}
        empty={{ text: said.noMessages }}
      >
        {(list) => <Messages messages={list} />}
      </Panel>
      <AuditPanel title={said.audit} asked={{ owner: id }} />
    </Page>
  )
}

function Profile({ user }: { user: User }) {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  const confirmed: ReactNode = user.email_confirmed_at ? (
    <>
      <Status kind="good" word={said.confirmed} /> <Moment at={user.email_confirmed_at} />
    </>
  ) : (
    <Status kind="warn" word={said.notConfirmed} />
  )
  return (
    <Facts
      facts={[
        [said.name, <bdi key="n">{user.name}</bdi>],
        [
          said.email,
          <span key="e" dir="ltr">
            {user.email}
          </span>,
        ],
        [said.address, <span key="c">{confirmed}</span>],
        [said.role, office[user.role]],
        [said.since, <Moment key="s" at={user.created_at} />],
        [said.id, <Id key="i" value={user.id} />],
      ]}
    />
  )
}
