import type { ComponentProps } from 'react'
import { Link } from 'wouter'
import styles from './button.module.css'

type ButtonLook = 'primary' | 'plain' | 'danger'

/** A button. One on a page is `primary`. While it is disabled it does nothing, but it keeps the focus, so that
 * whoever pressed it by the keyboard stays where they were. */
export function Button({
  look = 'plain',
  type = 'button',
  disabled = false,
  onClick,
  ...props
}: ComponentProps<'button'> & { look?: ButtonLook }) {
  return (
    <button
      {...props}
      type={type}
      className={styles.button}
      data-look={look}
      aria-disabled={disabled || undefined}
      onClick={disabled ? (event) => event.preventDefault() : onClick}
    />
  )
}

/** A link to another page that looks like a button. */
export function ButtonLink({
  look = 'plain',
  href,
  children,
}: {
  look?: ButtonLook
  href: string
  children: string
}) {
  return (
    <Link href={href} className={styles.button} data-look={look}>
      {children}
    </Link>
  )
}
