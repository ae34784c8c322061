// npm run cluster:smoke -- [URL of the front door]
import { start } from './start.mjs'

await start('smoke-main')
