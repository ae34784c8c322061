export type Context = 'identity' | 'ledger' | 'notifications' | 'web'
