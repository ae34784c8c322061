// npm run openapi: writes functions/web/openapi.json and asyncapi.json from the declarations of the
// operations and the contracts of the events, and from the former the types of the client. Tests fail if they
// differ from what it would write.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientApi } from './client-api.mjs'
import { readDeclarations, writeContract } from './declarations.mjs'
import { findOperations } from './operations.mjs'

const root = join(fileURLToPath(import.meta.url), '../../..')
const dist = join(root, 'dist')
mkdirSync(dist, { recursive: true })
const declarations = await readDeclarations(root, findOperations(root), dist)
writeContract(root, declarations, join(root, 'functions/web'), 2)

const openapi = JSON.parse(readFileSync(join(root, 'functions/web/openapi.json'), 'utf8'))
writeFileSync(join(root, 'functions/web/client/api.ts'), clientApi(openapi))
