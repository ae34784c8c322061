import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { documentsQuery, useDeleteDocument, type Document } from '../../data/documents.ts'
import { FileLink } from '../../panels/file-link.tsx'
import { UploadFile } from '../../panels/upload/upload-file.tsx'
import { Button } from '../../parts/button.tsx'
import buttons from '../../parts/button.module.css'
import { Moment } from '../../parts/moment.tsx'
import { More } from '../../parts/more.tsx'
import { Page } from '../../parts/page.tsx'
import { Panel, PlainPanel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { Status } from '../../parts/status.tsx'
import { Sure } from '../../parts/sure.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { formatNumber } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import styles from './documents.module.css'
import { texts } from './documents.texts.ts'

/** The customer's documents: uploaded ones, and filed statements. */
export default function Documents() {
  const said = useTexts(texts)
  const list = useInfiniteQuery(documentsQuery())
  return (
    <Page title={said.title}>
      <PlainPanel>
        <UploadFile />
      </PlainPanel>
      <Panel
        query={{ ...list, data: list.data?.pages.flatMap(({ items }) => items) }}
        rows={4}
        starts="documents"
        empty={{ text: said.none }}
      >
        {(documents) => (
          <>
            <ul className={styles.list} aria-label={said.title}>
              {documents.map((one) => (
                <Item key={one.public_id} document={one} />
              ))}
            </ul>
            <More list={list} />
          </>
        )}
      </Panel>
    </Page>
  )
}

function Item({ document }: { document: Document }) {
  const said = useTexts(texts)
  const language = useLanguage()
  const { file_name: name, status, reason, size, url, created_at: at } = document
  const isReady = status === 'ready'
  return (
    <li className={styles.document}>
      <Picture document={document} />
      <div>
        <h2 className={styles.name} dir="auto">
          {name}
        </h2>
        <div className={styles.facts}>
          {!isReady && <Status kind={status === 'refused' ? 'bad' : 'warn'} word={said.status[status]} />}
          {reason !== null && <span>{reason}</span>}
          {document.statement && <span>{said.statement}</span>}
          {document.by_bank && <span>{said.byBank}</span>}
          <span>{said.kb(formatNumber(language, Math.ceil(size / 1000)))}</span>
          <Moment at={at} />
        </div>
      </div>
      <Actions {...{ name, id: document.public_id, url: isReady ? url : undefined }} />
    </li>
  )
}

/** The small image of an image; for all others, what kind of file it is. */
function Picture({ document: { status, thumbnail_url: url, file_name: name } }: { document: Document }) {
  if (status === 'ready' && url !== null)
    return <img className={styles.picture} src={`${url}?disposition=inline`} alt="" loading="lazy" />
  return (
    <span className={styles.picture} aria-hidden="true">
      {name.split('.').at(-1)?.toUpperCase()}
    </span>
  )
}

function Actions({ id, name, url }: { id: string; name: string; url: string | undefined }) {
  const said = useTexts(texts)
  const [isAsking, setAsking] = useState(false)
  const remove = useDeleteDocument()
  return (
    <div className={styles.actions}>
      {isAsking ? (
        <Sure
          question={said.removeAsk(name)}
          sure={said.removeSure}
          keep={said.keep}
          isPending={remove.isPending}
          onSure={() => remove.mutate(id)}
          onKeep={() => setAsking(false)}
        />
      ) : (
        <>
          {url !== undefined && (
            <FileLink className={buttons.button} href={url} download aria-label={`${said.download}: ${name}`}>
              {said.download}
            </FileLink>
          )}
          <Button aria-label={`${said.remove}: ${name}`} onClick={() => setAsking(true)}>
            {said.remove}
          </Button>
        </>
      )}
      <ProblemNote problem={remove.error} />
    </div>
  )
}
