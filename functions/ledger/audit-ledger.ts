import { auditRoute } from '../host/audit/audit-route.ts'
import { operation } from '../host/operation.ts'
import { askedPart, namedPart, ownPart } from './transactions/audited-transactions.ts'

export default operation({
  name: 'audit-ledger',
  context: 'ledger',
  summary: 'Lists who did what in the context ledger',
  routes: [auditRoute('ledger', namedPart, askedPart, ownPart)],
})
