import { de } from './de.ts'
import { en } from './en.ts'
import { formatsOf, type Formats, type Language } from './formats.ts'
import type { NotifiedType } from './notified.ts'
import type { MessageText, Templates } from './template.ts'

const byLanguage: Record<Language, Templates> = { en, de }

/** Returns the templates of a language. */
export const templatesOf = (language: Language): Templates => byLanguage[language]

/** Returns the message of an event. `data` is the event's data, checked against its contract. */
export const eventText = (type: NotifiedType, data: object, language: Language): MessageText =>
  (byLanguage[language].events[type] as (data: object, format: Formats) => MessageText)(
    data,
    formatsOf(language),
  )
