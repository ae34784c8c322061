import type { RequestListener, ServerResponse } from 'node:http'

const STORED = 202

/**
 * Loses a share of the confirms of published events: the event is stored, and the connection breaks before
 * the publisher learns it. It takes the place of each ingress.
 * @param draws whether the next confirm gets lost
 * @returns a function that puts the ingresses back
 */
export function dropConfirms(
  ingresses: Map<string, RequestListener>,
  draws: () => boolean,
  onDropped: () => void,
): () => void {
  const whole = [...ingresses]
  for (const [name, ingress] of whole)
    ingresses.set(name, (request, response) => {
      if (draws())
        breakBefore(STORED, response, () => {
          onDropped()
          request.socket.destroy()
        })
      ingress(request, response)
    })
  return () => {
    for (const [name, ingress] of whole) ingresses.set(name, ingress)
  }
}

function breakBefore(lost: number, response: ServerResponse, breakOff: () => void): void {
  const writeHead = response.writeHead.bind(response) as ServerResponse['writeHead']
  response.writeHead = ((status: number, ...rest: never[]) => {
    if (status !== lost) return writeHead(status, ...rest)
    breakOff()
    return response
  }) as ServerResponse['writeHead']
}
