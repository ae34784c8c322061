import { useLayoutEffect, useState, type RefObject } from 'react'
import type { BankPicture } from '../../../data/platform.ts'
import styles from './wires.module.css'

/** A place on the map, in pixels from its corner. */
export interface PlaceBox {
  left: number
  right: number
  middle: number
}

export type Places = ReadonlyMap<string, PlaceBox>

/** Returns where each place of the map is. They are measured after the map has changed its size or parts. */
export function usePlaces(frame: RefObject<HTMLDivElement | null>, bank: BankPicture): Places {
  const [places, setPlaces] = useState<Places>(new Map())
  const parts = `${bank.functions.length} ${bank.triggers.length}`
  useLayoutEffect(() => {
    const map = frame.current
    if (!map) return
    const measure = (): void => {
      const { left, top } = map.getBoundingClientRect()
      const boxes = [...map.querySelectorAll<HTMLElement>('[data-place]')].map((element) => {
        const box = element.getBoundingClientRect()
        const middle = box.top + box.height / 2 - top
        return [element.dataset.place!, { left: box.left - left, right: box.right - left, middle }] as const
      })
      // A function that stands twice is where a request finds it.
      setPlaces(new Map(boxes.reverse()))
    }
    const observer = new ResizeObserver(measure)
    observer.observe(map)
    return () => observer.disconnect()
  }, [frame, parts])
  return places
}

/** The lines between the parts of the map; those of the function that is shown stand out. */
export function Wires({ bank, places, shown }: { bank: BankPicture; places: Places; shown: string | null }) {
  const own = shown === null ? undefined : `function:${shown}`
  const context = bank.functions.find(({ name }) => name === shown)?.context
  const lines = linesOf(bank).flatMap(([from, to]) => {
    const [a, b] = [places.get(from), places.get(to)]
    return a && b ? [{ key: `${from} ${to}`, path: curve(a, b), isOwn: false }] : []
  })
  const ownLines = bank.edges
    .filter(
      ({ from, to, kind }) => (kind === 'request' || kind === 'deliver') && (from === own || to === own),
    )
    .concat(bank.edges.filter(({ from, kind }) => own && kind === 'publish' && from === `context:${context}`))
    .flatMap(({ from, to, kind }) => {
      // Its place among the consumers, on this Trigger's line.
      const end = kind === 'deliver' ? from.replace('trigger:', 'consumer:') : to
      const [a, b] = [places.get(from), places.get(end)]
      return a && b ? [{ key: `own ${from} ${to}`, path: curve(a, b), isOwn: true }] : []
    })
  return (
    <svg className={styles.wires} aria-hidden="true">
      {[...lines, ...(own ? ownLines : [])].map(({ key, path, isOwn }) => (
        <path key={key} d={path} data-own={isOwn || undefined} />
      ))}
    </svg>
  )
}

/** From column to column: what leads where in the whole, without a line for each of a hundred functions. */
function linesOf({ functions, edges, triggers, brokers, databases }: BankPicture): [string, string][] {
  const contexts = [...new Set(functions.map(({ context }) => context))]
  const sinks = triggers.some(({ dead_letter_sink: sink }) => sink)
  return [
    ...edges.filter(({ from }) => from === 'callers').map(({ from, to }): [string, string] => [from, to]),
    ...contexts.map((context): [string, string] => ['function:front-door', `context:${context}`]),
    ...brokers.flatMap(({ name }) =>
      databases.map((context): [string, string] => [`context:${context}`, `broker:${name}`]),
    ),
    ...triggers.flatMap(({ name, broker }): [string, string][] => [
      [`broker:${broker}`, `trigger:${name}`],
      [`trigger:${name}`, `consumer:${name}`],
      ...(sinks ? [[`consumer:${name}`, 'dead-letters'] as [string, string]] : []),
    ]),
  ]
}

/** A curve from the right edge of a place to the left edge of another. */
function curve(a: PlaceBox, b: PlaceBox): string {
  const bend = Math.max(12, (b.left - a.right) / 2)
  return `M${a.right},${a.middle} C${a.right + bend},${a.middle} ${b.left - bend},${b.middle} ${b.left},${b.middle}`
}
