import { boards } from '../../../../../../monitoring/dashboards/boards.ts'
import { germanPanelTexts } from './panel-texts.de.ts'

/** Whether something is said, besides labels and figures. */
const hasWords = (text: string): boolean => /\p{L}/u.test(text.replaceAll(/{{\w+}}/g, ''))

test('all that the dashboards say is there in German, and nothing else', () => {
  const said = boards.flatMap(({ title, about, panels }) => [
    ...[title, about],
    ...panels.flatMap((panel) => [
      panel.title,
      panel.about ?? '',
      ...panel.targets.map(({ legend }) => legend),
    ]),
  ])
  // What belongs to single requests is not on the page.
  const dots = boards.flatMap(({ panels }) =>
    panels.flatMap((panel) => (panel.showsTraces ? (panel.about ?? []) : [])),
  )
  const wanted = new Set(said.filter((text) => hasWords(text) && !dots.includes(text)))
  expect(Object.keys(germanPanelTexts).sort()).toEqual([...wanted].sort())
})

test('a German name of a series has the labels of the English one', () => {
  const labels = (text: string): string[] => [...text.matchAll(/{{\w+}}/g)].map(([label]) => label).sort()
  for (const [english, german] of Object.entries(germanPanelTexts))
    expect([english, labels(german)]).toEqual([english, labels(english)])
})
