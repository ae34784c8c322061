import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { endPayment } from './payments/end.ts'
import { paymentEnding } from './payments/ending-schema.ts'
import { paymentSchema } from './payments/payment.ts'
import { endingProblems } from './payments/refusals.ts'

export default operation({
  name: 'cancel-payment',
  context: 'payments',
  summary: 'Cancels a payment: the money that is held is available again',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/payments/cancel',
      who: 'signed-in',
      summary: 'Cancel a payment of one’s own that was not executed',
      body: paymentEnding,
      answers: { 200: paymentSchema },
      problems: [problems.notFound, endingProblems.executed, endingProblems.expired, endingProblems.failed],
      idempotent: true,
      handle: (request, tools) => endPayment(request, 'cancel-payment', tools, { status: 'cancelled' }),
    }),
  ],
})
