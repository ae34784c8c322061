/** Reports what the bench is doing: one live line on a terminal, otherwise one line for each step. */
export interface Progress {
  /** Shows the current step; replaces the live line. */
  step(sentence: string): void
  /** Writes a line that stays. */
  say(sentence: string): void
}

export function createProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  const clear = out.isTTY ? '\r\x1b[K' : ''
  return {
    step: (sentence) => void out.write(out.isTTY ? `${clear}${sentence}` : `${sentence}\n`),
    say: (sentence) => void out.write(`${clear}${sentence}\n`),
  }
}
