import http from 'node:http'

/** The least that a hop can be with node:http: the floor of the front door and the gateway. It pipes both
 * ways over kept connections and checks nothing. */
const { PORT, HOST, UPSTREAM_PORT } = process.env
const agent = new http.Agent({ keepAlive: true })

http
  .createServer((request, response) => {
    const { method, url: path, headers } = request
    const passed = http.request({ host: HOST, port: UPSTREAM_PORT, method, path, headers, agent })
    passed.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    request.pipe(passed)
  })
  .listen(Number(PORT), HOST)
