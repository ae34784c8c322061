import { createServer, type AddressInfo } from 'node:net'
import { inOtherProcess } from '../../../tests/support/other-process.ts'
import { giveBack, takePort } from './ports.ts'

const takeMany = () => Promise.all(Array.from({ length: 150 }, takePort))
const blockOf = (port: number): number => Math.floor(port / 100)

test('no port is given twice, and two programs take theirs from different blocks', async () => {
  const { child, message: theirs } = await inOtherProcess<number[]>(`
    import { takePort } from './knative/local/processes/ports.ts'
    void Promise.all(Array.from({ length: 150 }, takePort)).then((ports) => process.send(ports))
    setInterval(() => {}, 1000)`)
  try {
    const ours = await takeMany()
    expect(new Set(ours).size).toBe(150)
    const blocks = new Set(ours.map(blockOf))
    expect(blocks.size).toBe(2)
    expect(theirs.map(blockOf).filter((block) => blocks.has(block))).toEqual([])
    ours.forEach(giveBack)
    expect(new Set((await takeMany()).map(blockOf))).toEqual(blocks)
  } finally {
    child.kill('SIGKILL')
  }
})

test('a port that somebody listens on is not given', async () => {
  const port = await takePort()
  giveBack(port)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const given = await Promise.all(Array.from({ length: 100 }, takePort))
  expect(given).not.toContain((server.address() as AddressInfo).port)
  await new Promise((resolve) => server.close(resolve))
})
