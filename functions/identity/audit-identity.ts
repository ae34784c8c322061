import { auditRoute } from '../host/audit/audit-route.ts'
import { operation } from '../host/operation.ts'

export default operation({
  name: 'audit-identity',
  context: 'identity',
  summary: 'Lists who did what in the context identity',
  routes: [auditRoute('identity')],
})
