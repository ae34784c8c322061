import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import './look/tokens.css'
import './look/base.css'
import { useSessionChanges } from './data/session.ts'
import { Frame } from './frame/frame.tsx'
import { Pages } from './frame/pages.tsx'
import { SettingsProvider } from './parts/settings.tsx'

// After a release, a page that was open asks for files that are gone. Then it is loaded anew, once. But not
// without a network: then nothing would be left of the page.
addEventListener('vite:preloadError', (event) => {
  if (!navigator.onLine) return
  if (Date.now() - Number(sessionStorage.getItem('reloaded-at')) < 60_000) return
  event.preventDefault()
  sessionStorage.setItem('reloaded-at', String(Date.now()))
  location.reload()
})

// The client repeats what may succeed later; a second layer would only multiply that.
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: 5_000, networkMode: 'always' },
    mutations: { networkMode: 'always' },
  },
})

function Bank() {
  useSessionChanges()
  return (
    <Frame>
      <Pages />
    </Frame>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <SettingsProvider>
          <Bank />
        </SettingsProvider>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
)
