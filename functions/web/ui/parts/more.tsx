import { common } from '../texts/common.texts.ts'
import { useTexts } from '../texts/define-texts.ts'
import { Button } from './button.tsx'

/** What the button needs of an infinite query of TanStack Query. */
interface MoreQuery {
  hasNextPage: boolean
  isFetchingNextPage: boolean
  fetchNextPage: () => unknown
}

/** The button that loads the next page of a list, while there is one. */
export function More({ list, word }: { list: MoreQuery; word?: string }) {
  const texts = useTexts(common)
  if (!list.hasNextPage) return null
  return (
    <Button disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      {word ?? texts.more}
    </Button>
  )
}
