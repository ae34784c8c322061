import styles from './status.module.css'

const MARKS = { good: '●', warn: '▲', bad: '■', cold: '◌', neutral: '○' } as const

export type StatusKind = keyof typeof MARKS

/** A state: a mark, a colour and a word, so that nobody has to tell colours apart. */
export function Status({ kind, word }: { kind: StatusKind; word: string }) {
  return (
    <span className={styles.status} data-kind={kind}>
      <span aria-hidden="true">{MARKS[kind]}</span>
      {word}
    </span>
  )
}
