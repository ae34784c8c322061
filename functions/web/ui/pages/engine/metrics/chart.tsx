import { useId, type ReactNode, type SVGProps } from 'react'
import { formatTime } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import styles from './metrics.module.css'

/** The size of a chart in units of its own; the page stretches it. */
export const BOX = { width: 600, height: 140 } as const

/** A picture over time, with what stands at its edges, and below it the same in words. */
export function Chart({
  title,
  top,
  bottom,
  from,
  until,
  below,
  children,
  ...svg
}: {
  title: string
  /** The highest and the lowest value, as text. */
  top: string
  bottom: string
  /** When it begins and ends, RFC 3339. */
  from: string
  until: string
  below: ReactNode
  children: ReactNode
} & Pick<SVGProps<SVGSVGElement>, 'onPointerMove' | 'onPointerLeave'>) {
  const [language, id] = [useLanguage(), useId()]
  const timeOf = (at: string): string => formatTime(language, new Date(at))
  return (
    <figure className={styles.figure}>
      <div className={styles.chart}>
        <span className={styles.axis} aria-hidden="true">
          <span>{top}</span>
          <span>{bottom}</span>
        </span>
        <svg
          viewBox={`0 0 ${BOX.width} ${BOX.height}`}
          preserveAspectRatio="none"
          role="img"
          aria-labelledby={id}
          {...svg}
        >
          <title id={id}>{title}</title>
          {children}
        </svg>
        <span className={styles.ends}>
          <span>{timeOf(from)}</span>
          <span>{timeOf(until)}</span>
        </span>
      </div>
      <figcaption>{below}</figcaption>
    </figure>
  )
}
