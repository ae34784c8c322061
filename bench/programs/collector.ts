import http from 'node:http'

/** A server in place of a collector of traces: it takes whatever it is sent. */
http
  .createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  .listen(Number(process.env.PORT), process.env.HOST)
