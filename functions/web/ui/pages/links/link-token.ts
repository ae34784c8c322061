import { useEffect, useState } from 'react'

const tokenInAddress = (): string | null => new URLSearchParams(location.hash.slice(1)).get('token')

/** Returns the token of the mailed link that led here, `#token=...`; null without one. It is taken out of the
 * address bar: neither the history nor a screenshot needs it. A second link that is opened in the same window
 * changes the address without loading the page again. */
export function useLinkToken(): string | null {
  const [token, setToken] = useState(tokenInAddress)
  useEffect(() => {
    const forget = () => history.replaceState(null, '', location.pathname + location.search)
    const read = () => {
      const other = tokenInAddress()
      if (other === null) return
      setToken(other)
      forget()
    }
    if (location.hash) forget()
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }, [])
  return token
}
