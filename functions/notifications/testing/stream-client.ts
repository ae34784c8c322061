import http from 'node:http'

export interface ReceivedEvent {
  id: string
  type: string
  // A test knows what it stored.
  // oxlint-disable-next-line typescript/no-explicit-any
  data: any
}

/** Reads Server-Sent Events as the HTML standard says, section 9.2.6, and keeps them. */
export class StreamClient {
  readonly events: ReceivedEvent[] = []
  /** All that came, comments too. */
  text = ''
  status = 0
  lastId: string | undefined
  /** Undefined while it is open. A stream that was not cut off has a last chunk. */
  ended: 'complete' | 'cut off' | undefined
  readonly #request: http.ClientRequest
  #unread = ''

  constructor(url: string, { token, lastId }: { token?: string; lastId?: string | undefined }) {
    this.lastId = lastId
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(lastId && { 'last-event-id': lastId }),
    }
    this.#request = http.get(url, { headers, agent: false }, (response) => {
      this.status = response.statusCode!
      response.setEncoding('utf8')
      response.on('data', (text: string) => this.#read(text))
      response.on('error', () => undefined)
      response.on('close', () => (this.ended = response.complete ? 'complete' : 'cut off'))
    })
    this.#request.on('error', () => (this.ended ??= 'cut off'))
  }

  close(): void {
    this.#request.destroy()
  }

  #read(text: string): void {
    this.text += text
    const blocks = (this.#unread + text).split('\n\n')
    this.#unread = blocks.pop()!
    for (const block of blocks) this.#take(block)
  }

  #take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
    const [id, data] = [field('id'), field('data')]
    this.lastId = id ?? this.lastId
    if (data !== undefined)
      this.events.push({ id: this.lastId!, type: field('event')!, data: JSON.parse(data) })
  }
}
