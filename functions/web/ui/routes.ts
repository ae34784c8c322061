import type { ComponentType } from 'react'
import type { MenuName } from './frame/menu.texts.ts'

/** One page. Its address is the API's without /api where they show the same thing. */
export interface PageRoute {
  path: string
  /** Who may see it: `customer` is whoever is signed in. */
  who: 'anyone' | 'customer' | 'operator'
  /** Set if the menu of its area leads there: `/office/…` is the Back office's, `/engine/…` the Engine
   * room's, anything else the Bank's. The switch between areas leads to the first; the first four stand in
   * the bar at the bottom of small windows. */
  menu?: MenuName
  load: () => Promise<{ default: ComponentType }>
}

/** Every page of the bank. The menu and the tests of all pages read this. The first that fits counts. */
export const routes: readonly PageRoute[] = [
  { path: '/sign-in', who: 'anyone', load: () => import('./pages/sign-in/sign-in.tsx') },
  { path: '/sign-up', who: 'anyone', load: () => import('./pages/sign-in/sign-up.tsx') },
  { path: '/', who: 'customer', menu: 'home', load: () => import('./pages/bank/home.tsx') },
  { path: '/move', who: 'customer', menu: 'move', load: () => import('./pages/bank/move/move.tsx') },
  { path: '/accounts/:id', who: 'customer', load: () => import('./pages/bank/account/account.tsx') },
  {
    path: '/accounts/:id/statement',
    who: 'customer',
    load: () => import('./pages/bank/statement/statement.tsx'),
  },
  {
    path: '/payments',
    who: 'customer',
    menu: 'payments',
    load: () => import('./pages/bank/payments/payments.tsx'),
  },
  {
    path: '/payouts',
    who: 'customer',
    menu: 'payouts',
    load: () => import('./pages/bank/payouts/payouts.tsx'),
  },
  { path: '/transactions/:id', who: 'customer', load: () => import('./pages/bank/receipt/receipt.tsx') },
  { path: '/new-password', who: 'anyone', load: () => import('./pages/links/new-password.tsx') },
  { path: '/confirm-email', who: 'anyone', load: () => import('./pages/links/confirm-email.tsx') },
  { path: '/orders', who: 'customer', menu: 'orders', load: () => import('./pages/bank/orders.tsx') },
  { path: '/orders/new', who: 'customer', load: () => import('./pages/bank/new-order.tsx') },
  {
    path: '/documents',
    who: 'customer',
    menu: 'documents',
    load: () => import('./pages/bank/documents.tsx'),
  },
  {
    path: '/notifications',
    who: 'customer',
    menu: 'notifications',
    load: () => import('./pages/bank/notifications.tsx'),
  },
  {
    path: '/notifications/preferences',
    who: 'customer',
    load: () => import('./pages/bank/message-preferences.tsx'),
  },
  { path: '/me', who: 'customer', menu: 'me', load: () => import('./pages/me/me.tsx') },
  { path: '/webhooks', who: 'customer', load: () => import('./pages/web-hooks/web-hooks.tsx') },
  { path: '/office', who: 'operator', menu: 'needs', load: () => import('./pages/office/needs.tsx') },
  {
    path: '/office/dead-letters',
    who: 'operator',
    menu: 'deadLetters',
    load: () => import('./pages/office/dead-letters/dead-letters.tsx'),
  },
  {
    path: '/office/disputes',
    who: 'operator',
    menu: 'disputes',
    load: () => import('./pages/office/disputes/disputes.tsx'),
  },
  {
    path: '/office/ledger',
    who: 'operator',
    menu: 'ledger',
    load: () => import('./pages/office/ledger/ledger.tsx'),
  },
  {
    path: '/office/customers',
    who: 'operator',
    menu: 'customers',
    load: () => import('./pages/office/customers/customers.tsx'),
  },
  {
    path: '/office/customers/:id',
    who: 'operator',
    load: () => import('./pages/office/customers/customer.tsx'),
  },
  {
    path: '/office/accounts/:id',
    who: 'operator',
    load: () => import('./pages/office/account/account.tsx'),
  },
  {
    path: '/office/limits',
    who: 'operator',
    menu: 'limits',
    load: () => import('./pages/office/limits/limits.tsx'),
  },
  {
    path: '/office/audit',
    who: 'operator',
    menu: 'audit',
    load: () => import('./pages/office/audit/audit.tsx'),
  },
  { path: '/engine', who: 'operator', menu: 'engine', load: () => import('./pages/engine/map/map.tsx') },
  {
    path: '/engine/cold-starts',
    who: 'operator',
    menu: 'coldStarts',
    load: () => import('./pages/engine/cold-starts/cold-starts.tsx'),
  },
  {
    path: '/engine/events',
    who: 'operator',
    menu: 'events',
    load: () => import('./pages/engine/events/events.tsx'),
  },
  {
    path: '/engine/metrics',
    who: 'operator',
    menu: 'metrics',
    load: () => import('./pages/engine/metrics/metrics.tsx'),
  },
  { path: '/engine/events/:id', who: 'operator', load: () => import('./pages/engine/event/event.tsx') },
  {
    path: '/engine/transfers/:id',
    who: 'operator',
    load: () => import('./pages/engine/life/life.tsx'),
  },
  {
    path: '/engine/lab',
    who: 'operator',
    menu: 'lab',
    load: () => import('./pages/engine/lab/lab.tsx'),
  },
  {
    path: '/engine/mail',
    who: 'operator',
    menu: 'mail',
    load: () => import('./pages/engine/mail/mail.tsx'),
  },
]
