import { useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'wouter'
import type { CaughtMail, CaughtMails } from '../../../data/mails.ts'
import { mailQuery, mailsQuery } from '../../../data/mails.ts'
import { useAttention } from '../../../data/use-attention.ts'
import { ButtonLink } from '../../../parts/button.tsx'
import { Facts } from '../../../parts/facts.tsx'
import { Moment } from '../../../parts/moment.tsx'
import { Page } from '../../../parts/page.tsx'
import { Panel } from '../../../parts/panel.tsx'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './mail.module.css'
import { texts } from './mail.texts.ts'
import { partsOf } from './mail-parts.ts'

/** The emails that a bank on a laptop has caught. The address says which one is shown. */
export default function MailPage() {
  const said = useTexts(texts)
  const mails = useQuery(mailsQuery(useAttention()))
  const [search] = useSearchParams()
  const shown = search.get('mail')
  const isHere = mails.data?.why_not === null
  return (
    <Page title={said.title}>
      {isHere && <p>{said.intro}</p>}
      {shown !== null && isHere && <OneMail key={shown} id={shown} />}
      <Panel title={said.list} query={mails} rows={6} starts="platform">
        {(caught) =>
          caught.why_not === null ? <List caught={caught} /> : <p>{said.whyNot[caught.why_not]}</p>
        }
      </Panel>
    </Page>
  )
}

function List({ caught: { items, total } }: { caught: CaughtMails }) {
  const said = useTexts(texts)
  const language = useLanguage()
  if (items.length === 0) return <p>{said.none}</p>
  return (
    <>
      <ul className={styles.list} aria-label={said.list}>
        {items.map(({ id, at, to, subject }) => (
          <li key={id}>
            <Link href={`/engine/mail?mail=${id}`} dir="auto">
              {subject || said.noSubject}
            </Link>
            <span dir="ltr">{to}</span>
            <Moment at={at} />
          </li>
        ))}
      </ul>
      {total > items.length && <p>{said.older(formatNumber(language, total - items.length))}</p>}
    </>
  )
}

function OneMail({ id }: { id: string }) {
  const said = useTexts(texts)
  const mail = useQuery(mailQuery(id))
  return (
    <Panel
      {...(mail.data && { title: mail.data.subject || said.noSubject })}
      actions={<ButtonLink href="/engine/mail">{said.close}</ButtonLink>}
      query={mail}
      rows={6}
      starts="platform"
    >
      {(shown) => <Content mail={shown} />}
    </Panel>
  )
}

/** The text of an email, in which links to the bank can be followed, and how it looks. Whatever it contains,
 * nothing of it runs, and nothing is loaded: the bank's policy for it says so, and so does the frame. */
function Content({ mail: { id, from, to, at, text, has_html: hasHtml, attachments } }: { mail: CaughtMail }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const named = attachments.map(({ name, bytes }) =>
    said.size(name || said.noName, formatNumber(language, Math.ceil(bytes / 1000))),
  )
  return (
    <>
      <Facts
        facts={[
          [said.from, from],
          [said.to, to],
          [said.at, <Moment key="at" at={at} />],
          ...(named.length > 0 ? [[said.attachments, named.join('; ')] as const] : []),
        ]}
      />
      {text.trim() === '' ? (
        <p>{said.noText}</p>
      ) : (
        <p className={styles.text} dir="auto">
          {partsOf(text, location.origin).map(({ part, path }, i) =>
            path === undefined ? (
              part
            ) : (
              <a key={i} href={path}>
                {part}
              </a>
            ),
          )}
        </p>
      )}
      {hasHtml && (
        <>
          <h3 className={styles.looks}>{said.looks}</h3>
          <iframe
            className={styles.html}
            title={said.looks}
            sandbox=""
            src={`/api/platform/mails/${encodeURIComponent(id)}/html`}
          />
        </>
      )}
    </>
  )
}
