import type { Request, RequestHandler, Response } from 'express'

/** Lets one of express' body parsers read the request; rejects with what it refuses. */
export const readWith = (parser: RequestHandler, request: Request, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    void parser(request, response, (error: unknown) => (error ? reject(error as Error) : resolve()))
  })
