import { auditRoute } from '../host/audit/audit-route.ts'
import { operation } from '../host/operation.ts'

export default operation({
  name: 'audit-documents',
  context: 'documents',
  summary: 'Lists who did what in the context documents',
  routes: [auditRoute('documents')],
})
