import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { endPayment } from './payments/end.ts'
import { findPayee } from './payments/payee.ts'
import { paymentEnding } from './payments/ending-schema.ts'
import { paymentSchema } from './payments/payment.ts'
import { endingProblems, tooManyUnreachable } from './payments/refusals.ts'

export default operation({
  name: 'execute-payment',
  context: 'payments',
  summary: 'Executes a payment: the money that is held goes to the payee',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/payments/execute',
      who: 'signed-in',
      summary: 'Execute a payment of one’s own, once',
      body: paymentEnding,
      answers: { 200: paymentSchema },
      problems: [
        problems.notFound,
        ...[endingProblems.cancelled, endingProblems.expired, endingProblems.failed],
        tooManyUnreachable,
      ],
      idempotent: true,
      handle: (request, tools) =>
        endPayment(request, 'execute-payment', tools, {
          status: 'executed',
          findPayee: (payment) =>
            findPayee(payment, { callFor: tools.callFor, traceparent: request.traceparent }),
        }),
    }),
  ],
})
