import { auditRoute } from '../host/audit/audit-route.ts'
import { operation } from '../host/operation.ts'

export default operation({
  name: 'audit-payments',
  context: 'payments',
  summary: 'Lists who did what in the context payments',
  routes: [auditRoute('payments')],
})
