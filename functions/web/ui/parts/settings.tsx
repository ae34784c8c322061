import { createContext, useContext, useState, type ReactNode } from 'react'
import { ReaderContext, type PageLanguage } from '../texts/language.ts'
import { showZone, type Zone } from '../texts/zone.ts'

export type Theme = 'system' | 'light' | 'dark'
/** Rows are 44 px high, or 32. */
export type Density = 'roomy' | 'dense'

interface Settings {
  theme: Theme
  setTheme: (theme: Theme) => void
  density: Density
  setDensity: (density: Density) => void
  zone: Zone
  setZone: (zone: Zone) => void
  setLanguage: (language: PageLanguage) => void
}

const SettingsContext = createContext<Settings | undefined>(undefined)

/** Returns what the reader chose for this browser, and what changes it. */
export function useSettings(): Settings {
  const settings = useContext(SettingsContext)
  if (!settings) throw new Error('expected a SettingsProvider around this')
  return settings
}

/** Keeps the language, the theme, the density and the zone of times. theme.js reads them before the next page
 * is painted. */
export function SettingsProvider({ children }: { children: ReactNode }) {
  const { dataset, lang } = document.documentElement
  const [language, setLanguage] = useState<PageLanguage>(lang === 'de' ? 'de' : 'en')
  const [theme, setTheme] = useState<Theme>((dataset.theme as Theme | undefined) ?? 'system')
  const [density, setDensity] = useState<Density>(dataset.density === 'dense' ? 'dense' : 'roomy')
  const [zone, setZone] = useState<Zone>(() => {
    const kept = dataset.zone === 'utc' ? 'utc' : 'local'
    showZone(kept)
    return kept
  })
  const settings: Settings = {
    ...{ theme, density, zone },
    setZone(chosen) {
      showZone(chosen)
      setZone(chosen)
      keep('zone', chosen === 'local' ? undefined : chosen)
    },
    setDensity(chosen) {
      setDensity(chosen)
      if (chosen === 'roomy') delete document.documentElement.dataset.density
      else document.documentElement.dataset.density = chosen
      keep('density', chosen === 'roomy' ? undefined : chosen)
    },
    setTheme(chosen) {
      setTheme(chosen)
      if (chosen === 'system') delete document.documentElement.dataset.theme
      else document.documentElement.dataset.theme = chosen
      keep('theme', chosen === 'system' ? undefined : chosen)
    },
    setLanguage(chosen) {
      setLanguage(chosen)
      document.documentElement.lang = chosen
      keep('language', chosen)
    },
  }
  return (
    <SettingsContext value={settings}>
      <ReaderContext value={{ language, zone }}>{children}</ReaderContext>
    </SettingsContext>
  )
}

function keep(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // The browser keeps nothing: the choice holds until the page is left.
  }
}
