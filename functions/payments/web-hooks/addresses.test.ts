import { rulesFor } from './addresses.ts'

const cluster = rulesFor('refused')
const laptop = rulesFor('allowed')
const faultOf = (url: string, rules = cluster): string | undefined => rules.faultOf(new URL(url))

test.each([
  'https://hooks.example.com/a?b=c',
  'https://hooks.example.com:443/',
  'https://93.184.215.14/',
  'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/',
  'https://bücher.example/',
  'https://xn--bcher-kva.example/',
])('%s may be used', (url) => {
  expect(faultOf(url)).toBeUndefined()
})

test.each([
  ['another scheme', 'http://hooks.example.com/'],
  ['another scheme', 'ftp://hooks.example.com/'],
  ['another port', 'https://hooks.example.com:8443/'],
  ['port 80', 'https://hooks.example.com:80/'],
  ['a user name', 'https://user@hooks.example.com/'],
  ['a password', 'https://user:secret@hooks.example.com/'],
  ['a host that looks like a user', 'https://hooks.example.com@127.0.0.1/'],
  ['a fragment', 'https://hooks.example.com/#a'],
  ['a dot at the end', 'https://hooks.example.com./'],
  ['a name without a dot', 'https://localhost/'],
  ['a name without a dot', 'https://postgres/'],
  ['a name of a cluster', 'https://transfer.bank.svc.cluster.local/'],
  ['a name of a cluster', 'https://transfer.bank.svc/'],
  ['a name of a cloud', 'https://metadata.google.internal/'],
  ['loopback', 'https://127.0.0.1/'],
  ['loopback, short', 'https://127.1/'],
  ['loopback, one number', 'https://2130706433/'],
  ['loopback, hexadecimal', 'https://0x7f.0.0.1/'],
  ['loopback, octal', 'https://0177.0.0.1/'],
  ['loopback with a dot at its end', 'https://127.0.0.1./'],
  ['loopback in full-width digits', 'https://１２７.０.０.１/'],
  ['loopback in escapes', 'https://%31%32%37.0.0.1/'],
  ['zero', 'https://0/'],
  ['private', 'https://10.0.0.1/'],
  ['private', 'https://172.31.255.255/'],
  ['private', 'https://192.168.1.1/'],
  ['carrier-grade NAT', 'https://100.64.0.1/'],
  ['link-local, metadata', 'https://169.254.169.254/'],
  ['metadata of another cloud', 'https://100.100.100.200/'],
  ['multicast', 'https://224.0.0.1/'],
  ['broadcast', 'https://255.255.255.255/'],
  ['loopback', 'https://[::1]/'],
  ['unspecified', 'https://[::]/'],
  ['mapped', 'https://[::ffff:127.0.0.1]/'],
  ['mapped', 'https://[::ffff:7f00:1]/'],
  ['compatible', 'https://[::127.0.0.1]/'],
  ['NAT64', 'https://[64:ff9b::7f00:1]/'],
  ['local NAT64', 'https://[64:ff9b:1::7f00:1]/'],
  ['unique local', 'https://[fd00:ec2::254]/'],
  ['link-local', 'https://[fe80::1]/'],
  ['multicast', 'https://[ff02::1]/'],
  ['6to4 of a private address', 'https://[2002:7f00:1::]/'],
  ['Teredo', 'https://[2001:0:7f00:1::]/'],
])('%s is refused: %s', (_what, url) => {
  expect(faultOf(url)).toMatch(/^must /)
})

test('an address with a zone is no URL', () => {
  expect(() => new URL('https://[fe80::1%25eth0]/')).toThrow()
  expect(cluster.isAllowed('fe80::1%eth0')).toBe(false)
  expect(cluster.isAllowed('2606:2800::1%eth0')).toBe(false)
})

test.each([
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '192.0.0.1'],
  ...['192.0.2.1', '192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
  ...['240.0.0.1', '255.255.255.255', '::', '::1', '::ffff:8.8.8.8', '::8.8.8.8', '64:ff9b::808:808'],
  ...['64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:808:808::', 'fc00::1', 'fd00:ec2::254'],
  ...['fe80::1', 'fec0::1', 'ff02::1', 'rubbish', ''],
])('a name that leads to %s is refused', (address) => {
  expect(cluster.isAllowed(address)).toBe(false)
})

test('a name that leads to a public address may be used', () => {
  for (const address of ['8.8.8.8', '93.184.215.14', '2606:4700:4700::1111'])
    expect([address, cluster.isAllowed(address)]).toEqual([address, true])
})

test('on a laptop, web hooks may lead anywhere, but a URL is still one', () => {
  for (const url of ['http://localhost:3000/', 'http://127.0.0.1:9/', 'https://receiver/'])
    expect([url, faultOf(url, laptop)]).toEqual([url, undefined])
  for (const url of ['file:///etc/passwd', 'http://user:secret@localhost/', 'http://localhost/#a'])
    expect(faultOf(url, laptop)).toMatch(/^must /)
})

test('on a laptop, names are those of the machine', async () => {
  expect(await laptop.resolve('localhost')).toEqual(
    expect.arrayContaining([expect.stringMatching(/^(127|::1)/)]),
  )
})
