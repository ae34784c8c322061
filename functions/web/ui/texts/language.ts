import { createContext, useContext } from 'react'

export const languages = ['en', 'de'] as const
export type PageLanguage = (typeof languages)[number]

/** The reader's language. theme.js has chosen it before the first script of ours runs. */
export const LanguageContext = createContext<PageLanguage>('en')

export const useLanguage = (): PageLanguage => useContext(LanguageContext)
