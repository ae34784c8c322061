import { useLanguage, type PageLanguage } from './language.ts'

/** The same texts in another language: each text a text, each function one with the same arguments. */
type Translated<Given> = {
  [Name in keyof Given]: Given[Name] extends (...given: infer Arguments) => string
    ? (...given: Arguments) => string
    : Given[Name] extends string
      ? string
      : Translated<Given[Name]>
}

/** The texts of one page or part, by language. */
export type LocalTexts<Given> = Readonly<Record<PageLanguage, Translated<Given>>>

/** Declares texts. The compiler refuses a text that one language lacks. */
export const defineTexts = <Given>(texts: { en: Given; de: Translated<Given> }): LocalTexts<Given> =>
  texts as LocalTexts<Given>

/** Returns the texts in the reader's language. */
export const useTexts = <Given>(texts: LocalTexts<Given>): Translated<Given> => texts[useLanguage()]
