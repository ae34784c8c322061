import { useLanguage } from '../../../texts/language.ts'
import { germanPanelTexts } from './panel-texts.de.ts'

/** Returns what puts a text of the dashboards into the reader's language. */
export function usePanelWords(): (text: string) => string {
  const language = useLanguage()
  return (text) => (language === 'de' ? (germanPanelTexts[text] ?? text) : text)
}
