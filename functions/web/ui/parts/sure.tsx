import type { ComponentProps } from 'react'
import { Button } from './button.tsx'
import { useFocusReturn } from './use-focus-return.ts'

/** Asks before something that nobody can undo. It takes the place of the button that asked for it; the focus
 * is on what keeps things as they are. */
export function Sure({
  question,
  sure,
  keep,
  isPending,
  onSure,
  onKeep,
  ...about
}: {
  question?: string
  sure: string
  keep: string
  isPending: boolean
  onSure: () => void
  onKeep: () => void
} & Pick<ComponentProps<'button'>, 'aria-description'>) {
  const part = useFocusReturn<HTMLSpanElement>()
  return (
    <span ref={part} style={{ display: 'contents' }}>
      {question !== undefined && <span role="status">{question}</span>}
      <Button look="danger" disabled={isPending} onClick={onSure} {...about}>
        {sure}
      </Button>
      <Button onClick={onKeep} autoFocus>
        {keep}
      </Button>
    </span>
  )
}
