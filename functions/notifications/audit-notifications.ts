import { auditRoute } from '../host/audit/audit-route.ts'
import { operation } from '../host/operation.ts'

export default operation({
  name: 'audit-notifications',
  context: 'notifications',
  summary: 'Lists who did what in the context notifications',
  routes: [auditRoute('notifications')],
})
