import type { IncomingMessage } from 'node:http'
import type { StreamKind } from '../host/catalogue-entry.ts'
import { clientAddress } from '../host/http/client-address.ts'
import { authenticate } from '../host/http/request.ts'
import { createTokenVerifier, type JwkSet } from '../host/http/tokens.ts'
import { Places } from '../host/places.ts'
import { ProblemError, problems } from '../host/problems.ts'

/** An answer that comes piece by piece, or a body that does. */
type PlaceKind = StreamKind | 'upload'

/** Answers and uploads in pieces that one caller may have open at a time, in one process. One more than a
 * process of `statement` lets them read, whose refusal says more; enough event streams for some open pages;
 * and fewer uploads than a process of `upload-document` takes at a time. */
export const STREAMS_EACH_MAX: Readonly<Record<PlaceKind, number>> = { document: 6, events: 8, upload: 4 }

/** Creates what gives places to callers whose answers or bodies come piece by piece, so that nobody can hold
 * all the connections that there are for those, however slowly they read or write. Returns how to give the
 * place back. Throws a ProblemError (429) if the caller has as many as they may.
 *
 * A caller is a user with a valid token. Others count by their address: the function will refuse them. */
export function createStreamPlaces(
  jwks: JwkSet,
): (request: IncomingMessage, kind: PlaceKind) => Promise<() => void> {
  const tokens = createTokenVerifier(jwks)
  const places = {
    document: new Places(STREAMS_EACH_MAX.document),
    events: new Places(STREAMS_EACH_MAX.events),
    upload: new Places(STREAMS_EACH_MAX.upload),
  }
  return async (request, kind) => {
    const holder = await authenticate(request, { who: 'signed-in' }, { tokens }).then(
      ({ userId }) => `user ${userId}`,
      (error: unknown) => {
        if (error instanceof ProblemError) return `address ${clientAddress(request)}`
        throw error
      },
    )
    const leave = places[kind].take(holder)
    if (leave) return leave
    throw new ProblemError(
      problems.tooManyRequests,
      `You have ${STREAMS_EACH_MAX[kind]} such requests open already. Wait until one of them has ended.`,
      { headers: { 'retry-after': '5' } },
    )
  }
}
