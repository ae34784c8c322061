import { knownPasswords } from './known-passwords.ts'
import { passwordFault } from './password-rules.ts'

const faultOf = (password: string) => passwordFault(password, 'ada.lovelace@example.com')

test.each([
  'grey herons wade slowly',
  'Tr0ub4dor&3 and more',
  '真夜中の図書館で猫が踊るよ',
  '🦆🦆🦆 walk in rain',
])('accepted: %p', (password) => expect(faultOf(password)).toBeUndefined())

test.each(['1qaz2wsx3edc', 'QWERTY123456', 'Password1234', 'administrator', '１ｑａｚ２ｗｓｘ３ｅｄｃ'])(
  'refused as known from leaks, in any case and width: %p',
  (password) => expect(faultOf(password)).toMatch('known from leaks'),
)

test.each(['aaaaaaaaaaaa', 'abcabcabcabc', 'PasswoPasswo', '🦆🦆🦆🦆🦆🦆🦆🦆🦆🦆🦆🦆'])(
  'refused as the same few characters: %p',
  (password) => expect(faultOf(password)).toMatch('repeat'),
)

test.each(['abcdefghijklm', '123456789012', '0987654321098', 'qwertyuiopasdf', 'mnbvcxzlkjhgfdsa'])(
  'refused as a row of the alphabet or keyboard: %p',
  (password) => expect(faultOf(password)).toMatch('row of'),
)

test('a password with the user’s own address in it is refused, unless the address is so short that it is there by chance', () => {
  expect(faultOf('xx Ada.Lovelace xx')).toMatch('email address')
  expect(passwordFault('abandoned lighthouse', 'ab@example.com')).toBeUndefined()
})

test('length is counted after normalisation, so marks that join with a letter add nothing', () => {
  expect(faultOf('e\u0301'.repeat(6))).toMatch('at least 12 characters')
})

test('every known password is as long as the rules ask for, and in the form that is compared', () => {
  expect(knownPasswords.size).toBeGreaterThan(250)
  for (const password of knownPasswords) {
    expect([...password].length).toBeGreaterThanOrEqual(12)
    expect(password).toBe(password.normalize('NFKC').toLowerCase())
  }
})
