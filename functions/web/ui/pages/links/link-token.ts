import { useEffect, useState } from 'react'

/** Returns the token of the mailed link that led here, `#token=...`; null without one. It is taken out of the
 * address bar: neither the history nor a screenshot needs it. */
export function useLinkToken(): string | null {
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get('token'))
  useEffect(() => {
    if (token) history.replaceState(null, '', location.pathname + location.search)
  }, [token])
  return token
}
