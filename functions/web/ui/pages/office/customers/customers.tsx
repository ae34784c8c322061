import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import { customersQuery, type User } from '../../../data/customers.ts'
import { Button } from '../../../parts/button.tsx'
import { DataList } from '../../../parts/data-list.tsx'
import { useEntered } from '../../../parts/entered.ts'
import { Field } from '../../../parts/field.tsx'
import { Form } from '../../../parts/form.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { More } from '../../../parts/more.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel, PlainPanel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { AuditedNote } from '../audited-note.tsx'
import styles from '../office.module.css'
import { texts as officeTexts } from '../office.texts.ts'
import { texts } from './customers.texts.ts'
import { EnterCustomer } from './enter-customer.tsx'

/** Finds a customer by name, e-mail, account number or any id. What was looked for is in the address. */
export default function Customers() {
  const said = useTexts(texts)
  const [search, setSearch] = useSearchParams()
  const [isEntering, setEntering] = useEntered('entering', false)
  const query = search.get('query') ?? ''
  const list = useInfiniteQuery(customersQuery(query))
  const found = list.data?.pages.flatMap(({ items }) => items)
  return (
    <Page
      title={said.title}
      actions={!isEntering && <Button onClick={() => setEntering(true)}>{said.enter}</Button>}
    >
      <AuditedNote />
      {isEntering && <EnterCustomer close={() => setEntering(false)} />}
      <PlainPanel>
        <Form
          key={query}
          name="search"
          onSubmit={({ query: text = '' }) => setSearch(text.trim() ? { query: text.trim() } : {})}
        >
          <div className={styles.search}>
            <Field
              name="query"
              label={said.search}
              hint={said.searchHint}
              type="search"
              defaultValue={query}
              maxLength={254}
              autoComplete="off"
              dir="auto"
              autoFocus
            />
            <Button type="submit" look="primary">
              {said.find}
            </Button>
          </div>
        </Form>
      </PlainPanel>
      <Panel
        title={query ? said.found : said.newest}
        query={{ ...list, data: found }}
        rows={6}
        starts="users"
        empty={{ text: isWrongNumber(query) ? said.wrongDigit : said.none }}
      >
        {(users) => (
          <>
            <Found users={users} label={query ? said.found : said.newest} />
            <More list={list} />
          </>
        )}
      </Panel>
    </Page>
  )
}

function Found({ users, label }: { users: readonly User[]; label: string }) {
  const [said, office] = [useTexts(texts), useTexts(officeTexts)]
  return (
    <DataList
      label={label}
      rows={users}
      keyOf={({ id }) => id}
      columns={[
        {
          title: said.name,
          cell: ({ id, name }) => (
            <Link href={`/office/customers/${id}`} dir="auto">
              {name}
            </Link>
          ),
        },
        { title: said.email, cell: ({ email }) => <span dir="ltr">{email}</span> },
        { title: said.role, cell: ({ role }) => office[role] },
        { title: said.since, cell: ({ created_at: at }) => <Moment at={at} /> },
      ]}
    />
  )
}

/** Whether a text is an account number with a wrong digit: the whole number leaves 1 when divided by 97. */
function isWrongNumber(text: string): boolean {
  const number = text.replaceAll(/\s/g, '')
  return /^[1-9]\d{11}$/.test(number) && Number(number) % 97 !== 1
}
