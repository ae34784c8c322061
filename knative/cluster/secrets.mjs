// npm run cluster:secrets
import { start } from './start.mjs'

await start('secrets-main')
