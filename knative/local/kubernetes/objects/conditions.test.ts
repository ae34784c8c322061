import type { Condition } from '../object.ts'
import { readyOf } from './conditions.ts'

const is = (type: string, status: Condition['status'], severity?: 'Info'): Condition => ({
  ...{ type, status, reason: `${type}Reason`, message: `${type} says why` },
  ...(severity && { severity }),
})

test('what is false comes before what is unknown, and the last one gives the reason', () => {
  const conditions = [
    is('First', 'False'),
    is('Second', 'False'),
    is('Third', 'Unknown'),
    is('Fourth', 'True'),
  ]
  expect(readyOf(conditions)).toEqual({ status: 'False', reason: 'SecondReason', message: 'Second says why' })
  expect(readyOf(conditions.slice(2))).toMatchObject({ status: 'Unknown', reason: 'ThirdReason' })
})

test('where all holds it is ready, without the reason of any', () => {
  expect(readyOf([is('First', 'True')])).toEqual({ status: 'True' })
})

test('information says nothing about it', () => {
  expect(readyOf([is('First', 'False', 'Info')])).toEqual({ status: 'True' })
})
