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
  const [{ entered, keptAtMs }] = useState(() => {
    const found = findEntered(owner, page)
    return { entered: new EnteredPage(found.entered), keptAtMs: found.keptAtMs }
  })
  useEffect(() => {
    dropEntered(owner, page)
    return onKeep(() => storeEntered(owner, page, entered.all(), keptAtMs))
  }, [owner, page, entered, keptAtMs])
  return <EnteredContext value={entered}>{children}</EnteredContext>
}
