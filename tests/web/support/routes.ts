import { read } from '../../support/repository.ts'

/** Every page, as routes.ts has it. */
export const routes = [
  ...read('functions/web/ui/routes.ts').matchAll(/path: '([^']+)',\s*who: '(anyone|customer|operator)'/g),
].map(([, path, who]) => ({ path: path!, who: who! as 'anyone' | 'customer' | 'operator' }))

/** Fills in the parameters of a path by what the bank has: `/accounts/:id` gets one of the customer's
 * accounts. */
export const addressOf = (path: string, things: Record<string, string>): string =>
  path.replace(/\/([^/]+)\/:\w+/g, (_all, noun: string) => {
    const id = things[noun]
    if (!id) throw new Error(`no ${noun} is known for the page ${path}`)
    return `/${noun}/${id}`
  })
