import { openSync, writeSync } from 'node:fs'
import { checkRoom, explainFullDisk } from './room.ts'

const onFullDisk = process.platform === 'linux' ? test : test.skip

onFullDisk('what a full disk says becomes a sentence about the data folder, other errors stay', () => {
  const full = thrownBy(() => writeSync(openSync('/dev/full', 'w'), 'x'))
  const explain = (error: Error) => (explainFullDisk(error, '/data') as Error).message
  expect(explain(full)).toBe(
    'The disk of the data folder /data is full: ENOSPC: no space left on device, write. ' +
      'Make room (df -h shows where) and start again; nothing is lost.',
  )
  const isFull = 'The disk of the data folder /data is full'
  expect(explain(new Error('initdb failed:\n  could not write: No space left on device'))).toContain(isFull)
  expect(explain(new Error('wrapped', { cause: full }))).toContain(isFull)
  const other = new Error('Port 8080 is taken')
  expect(explainFullDisk(other, '/data')).toBe(other)
})

onFullDisk('a start is refused if there is no room for it', () => {
  // A file system without any room.
  expect(() => checkRoom('/proc')).toThrow('The disk of the data folder /proc is full: 0 MB are free.')
  checkRoom('/tmp')
})

function thrownBy(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}
