import { problem, problems } from '../host/problems.ts'

/** Returns the answer to a request for what does not exist. */
export const nothingHere = () => problem(problems.notFound, 'front-door has nothing at this address.')
