import { useId } from 'react'
import { stepPath, type BalancePoint } from './step-path.ts'
import styles from './step-line.module.css'

const BOX = { width: 600, height: 96 } as const

/** The balance over time as a line of steps. `label` says in words what it shows; `from` and `to` stand below
 * its ends, and `range`, from the lowest to the highest balance, above it. */
export function StepLine({
  points,
  until,
  label,
  from,
  range,
  to,
}: {
  points: readonly BalancePoint[]
  until: number
  label: string
  from: string
  range: string
  to: string
}) {
  const title = useId()
  const { line, area, zero } = stepPath(points, until, BOX)
  return (
    <figure className={styles.figure}>
      {/* The label says it in words. */}
      <p className={styles.range} aria-hidden="true">
        {range}
      </p>
      <svg
        className={styles.picture}
        viewBox={`0 0 ${BOX.width} ${BOX.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-labelledby={title}
      >
        <title id={title}>{label}</title>
        <path className={styles.area} d={area} />
        <path className={styles.zero} d={`M0 ${zero}H${BOX.width}`} />
        <path className={styles.line} d={line} />
      </svg>
      <figcaption className={styles.ends}>
        <span>{from}</span>
        <span>{to}</span>
      </figcaption>
    </figure>
  )
}
