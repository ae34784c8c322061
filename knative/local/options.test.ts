import { readArguments } from './options.ts'

describe('the command line', () => {
  test('has defaults', () => {
    expect(readArguments([])).toEqual({
      port: 8080,
      dataDir: '.microbank',
      host: undefined,
      queue: undefined,
    })
  })

  test('takes port, data folder, address and queue', () => {
    const args = ['--port', '0', '--data', '/data', '--host', '0.0.0.0', '--queue', 'postgres']
    expect(readArguments(args)).toEqual({ port: 0, dataDir: '/data', host: '0.0.0.0', queue: 'postgres' })
  })

  test('asks for help', () => {
    expect(readArguments(['--help'])).toBeUndefined()
  })

  test.each([
    [['--prot', '1'], /Unknown option '--prot'.*npm start -- \[options\]/s],
    [['8090'], /positional arguments. Put options after `--`\..*npm start -- \[options\]/s],
    [['--port', '80x'], "--port must be a number from 0 to 65535, not '80x'"],
    [['--port', '65536'], /--port must be a number/],
    [['--port', ''], /--port must be a number/],
    [['--queue', 'kafka'], "--queue must be rabbitmq or postgres, not 'kafka'"],
  ])('refuses %j with a sentence', (args, message) => {
    expect(() => readArguments(args)).toThrow(message)
  })
})
