import http from 'node:http'

/** A function behind a hop: it reads a request and answers 300 bytes. */
const ANSWER = JSON.stringify({ id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33', text: 'x'.repeat(251) })
const HEADERS = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) }

http
  .createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200, HEADERS).end(ANSWER))
  })
  .listen(Number(process.env.PORT), process.env.HOST)
