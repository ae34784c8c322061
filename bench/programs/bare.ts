import http from 'node:http'

/** A server of bare Node: the floor of every function. It takes JSON, answers JSON and checks nothing. */
http
  .createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const body: unknown = text === '' ? { status: 'ok' } : JSON.parse(text)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  .listen(Number(process.env.PORT), process.env.HOST)
