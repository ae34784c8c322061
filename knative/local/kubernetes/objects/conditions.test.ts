import type { Condition } from '../object.ts'
import { readyOf } from './conditions.ts'

const is = (type: string, status: Condition['status'], severity?: 'Info'): Condition => ({
  ...{ type, status, reason: `${type}Reason`, message: `${type} says why` },
  ...(severity && { severity }),
})

test('False wins over Unknown, and the last condition gives the reason', () => {
  const conditions = [
    is('First', 'False'),
    is('Second', 'False'),
    is('Third', 'Unknown'),
    is('Fourth', 'True'),
  ]
  expect(readyOf(conditions)).toEqual({ status: 'False', reason: 'SecondReason', message: 'Second says why' })
  expect(readyOf(conditions.slice(2))).toMatchObject({ status: 'Unknown', reason: 'ThirdReason' })
})

test('if all conditions are True it is ready, without any reason', () => {
  expect(readyOf([is('First', 'True')])).toEqual({ status: 'True' })
})

test('conditions that are only information do not count', () => {
  expect(readyOf([is('First', 'False', 'Info')])).toEqual({ status: 'True' })
})
