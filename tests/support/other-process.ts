import { build } from 'esbuild'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface OtherProcess<Message> {
  child: ChildProcess
  /** The first message that the script sent with `process.send`. */
  message: Message
}

const ROOT = join(__dirname, '..', '..')

/** Runs TypeScript in a process of its own, which a test can kill, and waits for its first
 * `process.send(...)`. Imports are relative to the repository. */
export async function inOtherProcess<Message>(script: string): Promise<OtherProcess<Message>> {
  const program = await bundle(script)
  try {
    const child = spawn(process.execPath, [program.file], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const message = await new Promise<Message>((resolve, reject) => {
      child.once('message', (received) => resolve(received as Message))
      // Not `exit`, which can come before a message that was sent.
      child.once('close', (code) =>
        reject(new Error(`the script ended with status ${code} and sent nothing`)),
      )
    })
    return { child, message }
  } finally {
    await program.remove()
  }
}

/** Bundles TypeScript into one file, as the bank's programs are bundled. */
export async function bundle(script: string): Promise<{ file: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'microbank-script-'))
  const file = join(folder, 'script.cjs')
  await build({
    stdin: { contents: script, resolveDir: ROOT, loader: 'ts' },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  })
  return { file, remove: () => rm(folder, { recursive: true, force: true }) }
}
