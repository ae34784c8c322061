import type { PicturedFunction } from '../../../data/platform.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import styles from './function-chip.module.css'
import { texts } from './map.texts.ts'
import { StateMark, useMsWhile } from './state-mark.tsx'

/** Says how a function is, in words. */
export function useStateWords(): (shown: PicturedFunction, ms?: number) => string {
  const said = useTexts(texts)
  return ({ state, processes, in_flight: inFlight, held }, ms = 0) => {
    const word = {
      zero: said.states.zero,
      starting: ms > 0 ? said.startingFor(String(Math.round(ms / 10) * 10)) : said.states.starting,
      ready: said.readyCount(String(processes)),
      busy: said.busyCount(String(inFlight ?? processes)),
      failing: said.states.failing,
    }[state]
    return held ? `${word}, ${said.held(String(held))}` : word
  }
}

/** A function on the map: its mark, its name and, unless it is at zero, its state in words. */
export function FunctionChip({
  shown,
  select,
  isSelected,
}: {
  shown: PicturedFunction
  select: (name: string) => void
  isSelected: boolean
}) {
  const { name, state } = shown
  const words = useStateWords()
  const ms = useMsWhile(state === 'starting')
  const word = words(shown, ms)
  return (
    <button
      type="button"
      className={styles.chip}
      data-state={state}
      data-place={`function:${name}`}
      aria-label={`${name}: ${word}`}
      aria-pressed={isSelected}
      onClick={() => select(name)}
    >
      <StateMark state={state} ms={ms} />
      <span className={styles.name}>
        {name} {state !== 'zero' && <span className={styles.word}>{word}</span>}
      </span>
    </button>
  )
}
