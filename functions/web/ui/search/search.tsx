import { Autocomplete } from '@base-ui/react/autocomplete'
import { useLayoutEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { QUERY_MAX } from '../data/question.ts'
import { isAsked } from '../data/search.ts'
import { Button } from '../parts/button.tsx'
import { useProblemSentence } from '../parts/problem.ts'
import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import { useFound, type FoundGroup, type FoundItem, type Searcher } from './found.ts'
import styles from './search.module.css'
import { texts } from './search.texts.ts'
import { useSettled } from './use-settled.ts'

/** The bank is asked after so many milliseconds without another letter. */
const PAUSE_MS = 200

/** Finds people, accounts, transactions, events, functions and pages: those that the reader may see. Arrows
 * choose, Enter opens, Escape closes. */
export default function Search({ close, ...searcher }: Searcher & { close: () => void }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const [typed, setTyped] = useState('')
  const { groups, failed, isSearching } = useFound(typed, useSettled(typed, PAUSE_MS), searcher)
  const count = groups.reduce((sum, { items }) => sum + items.length, 0)
  const [, navigate] = useLocation()
  const open = ({ path }: FoundItem): void => {
    navigate(path)
    close()
  }
  return (
    <Modal label={said.title} close={close}>
      <Autocomplete.Root
        open
        inline
        items={groups}
        filter={null}
        value={typed}
        onValueChange={(value, { reason }) => {
          if (reason === 'input-change') setTyped(value)
        }}
        itemToStringValue={({ name }: FoundItem) => name}
        autoHighlight="always"
        keepHighlight
      >
        <div className={styles.head}>
          <Autocomplete.Input
            className={styles.input}
            aria-label={said.title}
            placeholder={said.hint[searcher.role]}
            maxLength={QUERY_MAX}
            autoFocus
            dir="auto"
          />
          <Button onClick={close}>{words.close}</Button>
        </div>
        <Autocomplete.List className={styles.list} aria-label={said.title}>
          {(group: FoundGroup) => (
            <Autocomplete.Group
              key={`${group.kind} ${String(group.query === undefined)}`}
              items={group.items}
              className={styles.group}
            >
              <Autocomplete.GroupLabel className={styles.kind}>
                {said.kinds[group.kind]}
              </Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(item: FoundItem) => (
                  <Autocomplete.Item
                    key={item.path}
                    value={item}
                    className={styles.item}
                    onClick={() => open(item)}
                  >
                    <span dir="auto">{item.name}</span>
                    {item.detail && <span className={styles.detail}>{item.detail}</span>}
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
        <Autocomplete.Status className={styles.status}>
          {isSearching
            ? said.searching
            : count > 0 && (isAsked(typed) || typed.trim() === '')
              ? said.found(String(count))
              : isAsked(typed)
                ? said.none
                : said.short}
        </Autocomplete.Status>
      </Autocomplete.Root>
      <div role="status">
        {failed.map((group) => (
          <Failed key={group.kind} group={group} />
        ))}
      </div>
      {searcher.role === 'operator' && <p className={styles.note}>{said.audited}</p>}
    </Modal>
  )
}

function Failed({ group: { kind, query } }: { group: FoundGroup }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  const why = useProblemSentence(query?.error)
  return (
    <p className={styles.failed}>
      {said.failed(said.kinds[kind], why)}{' '}
      <Button onClick={() => void query?.refetch()}>{words.tryAgain}</Button>
    </p>
  )
}

/** The browser keeps the focus inside, and gives it back. Escape, and a click beside it, close it; but not a
 * text that was marked from inside to beside it. */
function Modal({ label, close, children }: { label: string; close: () => void; children: React.ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const isPressedBeside = useRef(false)
  useLayoutEffect(() => {
    const shown = dialog.current!
    if (!shown.open) shown.showModal()
    return () => shown.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onMouseDown={({ target }) => (isPressedBeside.current = target === dialog.current)}
      onClick={({ target }) => isPressedBeside.current && target === dialog.current && close()}
    >
      <div className={styles.box}>{children}</div>
    </dialog>
  )
}
