import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import type { SMTPServer, SMTPServerDataStream } from 'smtp-server'
import { privateFolder } from '../data-folder/own-files.ts'

const MAILS_MAX = 200
const MAIL_BYTES_MAX = 256 * 1024
const CLIENTS_MAX = 20

/** A mail server that takes everything and sends nothing on. */
export interface MailCatcher {
  port: number
  stop(): Promise<void>
}

/**
 * The folder of the mails that were caught: one file each, whose names are in the order of arrival. They hold
 * links that are good for a new password, so only the owner can enter it.
 */
export const mailFolder = (dataDir: string): string => join(dataDir, 'mail')

/**
 * Starts what catches emails, unless the environment names a mail server or other channels. Resolves with the
 * URL of the mail server; undefined if none was started.
 */
export async function startMail({
  env,
  dataDir,
}: {
  env: NodeJS.ProcessEnv
  dataDir: string
}): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  const channels = (env.MESSAGE_CHANNELS ?? 'email').split(',').map((name) => name.trim())
  if (env.SMTP_URL || !channels.includes('email')) return undefined
  const { port, stop } = await startMailCatcher(dataDir)
  return { url: `smtp://127.0.0.1:${port}`, stop }
}

/**
 * Starts a mail server on this machine, for this machine only. It keeps the last 200 mails, of at most 256
 * KiB each. The library is loaded for the first mail, so it costs the start of the bank nothing.
 */
export async function startMailCatcher(dataDir: string): Promise<MailCatcher> {
  const folder = privateFolder(mailFolder(dataDir))
  const sockets = new Set<Socket>()
  let smtp: Promise<SMTPServer> | undefined
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A client that leaves while the library loads.
    socket.on('error', () => socket.destroy())
    smtp ??= load(folder)
    smtp.then(
      (loaded) => loaded.server.emit('connection', socket),
      () => socket.destroy(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function load(folder: string): Promise<SMTPServer> {
  const { SMTPServer } = await import('smtp-server')
  const smtp = new SMTPServer({
    // Nothing leaves the machine, so there is nothing to encrypt and nobody to ask for a password.
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    // Otherwise it would ask the name servers for each client's name.
    disableReverseLookup: true,
    size: MAIL_BYTES_MAX,
    maxClients: CLIENTS_MAX,
    onData: (stream, _session, done) => {
      keep(stream, folder).then(
        () => done(),
        (error: Error) => done(error),
      )
    },
  })
  smtp.on('error', () => {})
  return smtp
}

async function keep(stream: SMTPServerDataStream, folder: string): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of stream) if (!stream.sizeExceeded) parts.push(part as Buffer)
  if (stream.sizeExceeded) throw Object.assign(new Error('the mail is too large'), { responseCode: 552 })
  const name = `${String(Date.now()).padStart(15, '0')}-${randomBytes(4).toString('hex')}`
  const unfinished = join(folder, `${name}.new`)
  await writeFile(unfinished, Buffer.concat(parts), { mode: 0o600 })
  await rename(unfinished, join(folder, `${name}.eml`))
  const surplus = caughtMails(folder).slice(MAILS_MAX)
  await Promise.all(surplus.map((file) => rm(join(folder, file), { force: true })))
}

/** The file names of the mails in a folder, the newest first. */
export const caughtMails = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.eml'))
    .sort()
    .reverse()
