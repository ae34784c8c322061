import { createContext, useContext } from 'react'
import type { Zone } from './zone.ts'

export const languages = ['en', 'de'] as const
export type PageLanguage = (typeof languages)[number]

/** How the reader wants texts and times. All that writes a time uses the language, and so is drawn anew when
 * the zone changes, too. theme.js has chosen the language before the first script of ours runs. */
export const ReaderContext = createContext<{ language: PageLanguage; zone: Zone }>({
  language: 'en',
  zone: 'local',
})

export const useLanguage = (): PageLanguage => useContext(ReaderContext).language
