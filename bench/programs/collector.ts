import http from 'node:http'

/** Stands where a collector of traces is: takes whatever it is sent. */
http
  .createServer((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  .listen(Number(process.env.PORT), process.env.HOST)
