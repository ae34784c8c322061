/** Says what is going on: one live line on a terminal, a line each elsewhere. */
export interface Progress {
  /** What is being done now; replaces the live line. */
  step(sentence: string): void
  /** A line that stays. */
  say(sentence: string): void
}

export function createProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const clear = out.isTTY ? '\r\x1b[K' : ''
  return {
    step: (sentence) => void out.write(out.isTTY ? `${clear}${sentence}` : `${sentence}\n`),
    say: (sentence) => void out.write(`${clear}${sentence}\n`),
  }
}
