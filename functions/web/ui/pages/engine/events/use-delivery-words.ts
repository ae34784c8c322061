import type { DeliveredTrigger } from '../../../data/platform-events.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'
import { texts } from './events.texts.ts'

/** Returns what says in words how a Trigger delivers: how often, with which pauses, and where to then. */
export function useDeliveryWords(): (delivery: DeliveredTrigger['delivery']) => string {
  const [said, language] = [useTexts(texts), useLanguage()]
  return ({ tries, first_pause_ms: first, last_pause_ms: last, grows, dead_letter_sink: sink }) => {
    const seconds = (ms: number): string => `${formatNumber(language, ms / 1000)} s`
    const words = grows === 'doubling' ? said.tries : said.triesEvenly
    const often =
      tries === 1 ? said.once : words(formatNumber(language, tries), seconds(first), seconds(last))
    return `${often}; ${sink === null ? said.thenLost : said.thenSink(sink)}.`
  }
}
