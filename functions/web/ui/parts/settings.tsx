import { createContext, useContext, useState, type ReactNode } from 'react'
import { LanguageContext, type PageLanguage } from '../texts/language.ts'

export type Theme = 'system' | 'light' | 'dark'

interface Settings {
  theme: Theme
  setTheme: (theme: Theme) => void
  setLanguage: (language: PageLanguage) => void
}

const SettingsContext = createContext<Settings | undefined>(undefined)

/** Returns what the reader chose for this browser, and what changes it. */
export function useSettings(): Settings {
  const settings = useContext(SettingsContext)
  if (!settings) throw new Error('expected a SettingsProvider around this')
  return settings
}

/** Keeps the language and the theme. theme.js reads them before the next page is painted. */
export function SettingsProvider({ children }: { children: ReactNode }) {
  const { dataset, lang } = document.documentElement
  const [language, setLanguage] = useState<PageLanguage>(lang === 'de' ? 'de' : 'en')
  const [theme, setTheme] = useState<Theme>((dataset.theme as Theme | undefined) ?? 'system')
  const settings: Settings = {
    theme,
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
      <LanguageContext value={language}>{children}</LanguageContext>
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
