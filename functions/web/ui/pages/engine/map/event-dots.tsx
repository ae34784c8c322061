import { useEffect, useRef } from 'react'
import { onDelivered } from '../../../data/platform-stream.ts'
import type { BankPicture } from '../../../data/platform.ts'
import { dotsOf } from './dots.ts'
import styles from './event-dots.module.css'
import type { Places } from './wires.tsx'

/** Milliseconds for which a dot is on its way, and from one dot to the next. */
const WAY_MS = 900
const APART_MS = 50

const still = matchMedia('(prefers-reduced-motion: reduce)')

/** A dot for each event that is delivered, from the Broker over its Trigger to the consumer. Readers who want
 * no motion see rates alone. */
export function EventDots({ bank, places }: { bank: BankPicture; places: Places }) {
  const layer = useRef<SVGSVGElement>(null)
  const seen = useRef({ bank, places })
  useEffect(() => {
    seen.current = { bank, places }
  })
  useEffect(
    () =>
      onDelivered((deliveries) => {
        if (still.matches || !layer.current) return
        dotsOf(deliveries).forEach((trigger, n) => draw(layer.current!, wayOf(trigger, seen.current), n))
      }),
    [],
  )
  return <svg ref={layer} className={styles.dots} aria-hidden="true" data-dots="0" />
}

/** The points that an event passes; empty if a part is not on the map. */
function wayOf(trigger: string, { bank, places }: { bank: BankPicture; places: Places }): [number, number][] {
  const broker = bank.triggers.find(({ name }) => name === trigger)?.broker
  const stops = [`broker:${broker}`, `trigger:${trigger}`, `consumer:${trigger}`].map((at) => places.get(at))
  if (stops.some((stop) => stop === undefined)) return []
  const [from, over, to] = stops as NonNullable<(typeof stops)[number]>[]
  return [
    [from!.right, from!.middle],
    [over!.left, over!.middle],
    [over!.right, over!.middle],
    [to!.left, to!.middle],
  ]
}

function draw(layer: SVGSVGElement, way: [number, number][], n: number): void {
  if (way.length === 0) return
  const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle')
  dot.setAttribute('r', '4')
  layer.append(dot)
  layer.dataset.dots = String(Number(layer.dataset.dots) + 1)
  const frames = way.map(([x, y]) => ({ transform: `translate(${x}px, ${y}px)` }))
  const moving = dot.animate(frames, { duration: WAY_MS, delay: n * APART_MS, fill: 'backwards' })
  moving.onfinish = () => dot.remove()
}
