import { generateKeyPairSync } from 'node:crypto'
import { openCheckpoint, openNote, signCheckpoint, verifierKey } from './checkpoint.ts'

/** The example of c2sp.org/signed-note. */
const known = {
  key: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  note:
    'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERY' +
    'NZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
}

const newKey = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
const [older, newer] = [newKey(), newKey()] as const
const checkpoint = { size: 20852163n, root: Buffer.alloc(32, 7) }

test('the example of the specification opens with its key', () => {
  expect(openNote(known.note, [known.key])).toBe('This is an example message.\n')
  const changed = known.note.replace('example message', 'exampel message')
  expect(() => openNote(changed, [known.key])).toThrow('A signature of the note is wrong.')
  expect(() => openNote(known.note, [verifierKey(newer)])).toThrow('None of the known keys')
  expect(() => openNote(known.note, [known.key.replace('530d903a', '530d903b')])).toThrow(
    'expected name+id+key',
  )
})

test('a checkpoint is three lines and a signature of each key', () => {
  const note = signCheckpoint(checkpoint, [newer, older])
  expect(note.split('\n')).toEqual([
    'microbank.dev/ledger',
    '20852163',
    'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=',
    '',
    expect.stringMatching(/^— microbank\.dev\/ledger [A-Za-z0-9+/]{91}=$/),
    expect.stringMatching(/^— microbank\.dev\/ledger [A-Za-z0-9+/]{91}=$/),
    '',
  ])
  expect(verifierKey(newer)).toMatch(/^microbank\.dev\/ledger\+[0-9a-f]{8}\+AQ?[A-Za-z0-9+/]{43,44}$/)
  for (const key of [older, newer]) expect(openCheckpoint(note, [verifierKey(key)])).toEqual(checkpoint)
  expect(openCheckpoint(signCheckpoint(checkpoint, [newer]), [older, newer].map(verifierKey))).toEqual(
    checkpoint,
  )
})

test.each([
  ['is not signed', (note: string) => note.slice(0, note.indexOf('—'))],
  ['is not a note', () => 'microbank.dev/ledger'],
  ['has another size', (note: string) => note.replace('20852163', '20852164')],
  ['has another root', (note: string) => note.replace('\nBw', '\nBx')],
  ['has another origin', (note: string) => note.replace('ledger\n', 'ledgers\n')],
  ['has one more line', (note: string) => note.replace('\n\n', '\nmore\n\n')],
  [
    'has one wrong signature among two',
    (note: string) =>
      note.replace(/(.)([^\n]{20})\n$/, (_, char, rest) => `${char === 'A' ? 'B' : 'A'}${rest}\n`),
  ],
  ['has too many signatures', (note: string) => note + note.slice(note.indexOf('—')).repeat(20)],
])('a checkpoint that %s is refused', (_what, change) => {
  const note = signCheckpoint(checkpoint, [newer, older])
  expect(() => openCheckpoint(change(note), [older, newer].map(verifierKey))).toThrow(/note/)
})

test('only a checkpoint of the ledger is one, whoever signed the text', () => {
  expect(() => openCheckpoint(known.note, [known.key])).toThrow('no checkpoint of microbank.dev/ledger')
})
