import { safeName } from './file-name.ts'

test.each([
  ['photo.png', 'photo.png'],
  ['PHOTO.PNG', 'PHOTO.png'],
  ['../../etc/passwd', 'passwd.png'],
  ['C:\\Users\\me\\a.png', 'a.png'],
  ['evil.exe', 'evil.exe.png'],
  ['a.png.html', 'a.png.html.png'],
  ['a\u202Egnp.exe', 'agnp.exe.png'],
  ['a\r\nSet-Cookie: b', 'aSet-Cookie_ b.png'],
  ['a"; filename="b', 'a_; filename=_b.png'],
  ['  . hidden. ', 'hidden.png'],
  ['', 'document.png'],
  ['.png', 'document.png'],
  ['Übersicht 文件.png', 'Übersicht 文件.png'],
  ['\uD800\0', 'document.png'],
  ['a'.repeat(5_000), `${'a'.repeat(100)}.png`],
])('%j becomes %j', (given, expected) => {
  expect(safeName(given, 'image/png')).toBe(expected)
})

test('each type keeps its own extensions', () => {
  expect(safeName('a.jpeg', 'image/jpeg')).toBe('a.jpeg')
  expect(safeName('a.png', 'image/jpeg')).toBe('a.png.jpg')
  expect(safeName(undefined, 'application/pdf')).toBe('document.pdf')
})
