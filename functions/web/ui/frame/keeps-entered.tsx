import { useEffect, useState, type ReactNode } from 'react'
import { dropEntered, findEntered, onKeep, storeEntered } from '../data/entered.ts'
import { EnteredContext, EnteredPage } from '../parts/entered.ts'

/** Keeps what its user enters on a page if their session ends, and gives it back when they open that page
 * again. It must be mounted anew for another user or page. */
export function KeepsEntered({
  owner,
  page,
  children,
}: {
  owner: string
  page: string
  children: ReactNode
}) {
  const [entered] = useState(() => new EnteredPage(findEntered(owner, page)))
  useEffect(() => {
    dropEntered(owner, page)
    return onKeep(() => storeEntered(owner, page, entered.all()))
  }, [owner, page, entered])
  return <EnteredContext value={entered}>{children}</EnteredContext>
}
