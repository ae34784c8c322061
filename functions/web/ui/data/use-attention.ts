import { useEffect, useState } from 'react'
import { onAttention } from './attention.ts'

/** Returns whether somebody looks at the page. What a page asks for again and again, it asks for only then:
 * a tab that is left open keeps no function from zero. */
export function useAttention(): boolean {
  const [isThere, setThere] = useState(true)
  useEffect(() => onAttention(setThere), [])
  return isThere
}
