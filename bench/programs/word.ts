import http from 'node:http'

/** A page with one word: what no page can be shown faster than. */
http
  .createServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><html lang="en"><title>microbank</title><p>microbank</p></html>')
  })
  .listen(Number(process.env.PORT), process.env.HOST)
