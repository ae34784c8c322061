import { business } from './business.ts'
import { events } from './events.ts'
import { functions } from './functions.ts'
import { ledger } from './ledger.ts'
import { objectives } from './objectives.ts'
import { overview } from './overview.ts'
import type { Board } from './panel.ts'
import { system } from './system.ts'

/** The dashboards of the bank, in the order of the menu. `npm run dashboards` writes them for Grafana. */
export const boards: readonly Board[] = [overview, business, system, functions, events, ledger, objectives]
