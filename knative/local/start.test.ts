import { spawnSync } from 'node:child_process'
import { ROOT } from '../../tests/support/repository.ts'

/** What `npm start` says before it starts anything. */

const start = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['knative/local/start.mjs', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('npm start -- --help shows the options and builds nothing', () => {
  expect(start('--help')).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^npm start -- \[options\]/),
    stderr: '',
  })
})

test('a wrong option is named before anything is built', () => {
  expect(start('--queue', 'kafka')).toEqual({
    status: 1,
    stdout: '',
    stderr: "--queue must be rabbitmq or postgres, not 'kafka'\n",
  })
})
