import { useEffect, useRef, type ReactNode } from 'react'
import styles from './page.module.css'

/** One page: its heading, which gets the focus after navigation, its actions and its panels. */
export function Page({
  title,
  actions,
  width = 'wide',
  children,
}: {
  title: string
  actions?: ReactNode
  width?: 'narrow' | 'wide' | 'full'
  children: ReactNode
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // Who opens the first page has the focus where their browser puts it.
    if (document.documentElement.dataset.navigated) heading.current?.focus({ preventScroll: true })
    document.documentElement.dataset.navigated = 'yes'
  }, [])
  useEffect(() => {
    document.title = `${title} · microbank`
  }, [title])
  return (
    <div className={styles.page} data-width={width}>
      <div className={styles.head}>
        <h1 ref={heading} tabIndex={-1} dir="auto">
          {title}
        </h1>
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  )
}
