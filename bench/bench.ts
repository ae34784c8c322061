import type { Program } from './programs.ts'
import type { Progress } from './progress.ts'
import type { Measurement } from './rounds.ts'
import type { Undo } from '../knative/local/processes/undo.ts'

/** What a ratio works with. */
export interface Bench {
  /** The repository's folder. */
  root: string
  /** The folder for bundles, data and logs. */
  folder: string
  /** True for short rounds, for development. Their figures mean little. */
  isQuick: boolean
  /** Whether a peer is measured too: what one would build without microbank. */
  withPeer: boolean
  /** Paths of the Nodes that the whole bank is measured on: the one that runs npm, and 24. */
  nodes: readonly string[]
  progress: Progress
  /** Undoes what the ratio has started, when the ratio ends or fails. */
  undo: Undo
}

/** One measurement of the bench. It can be run alone by its id. */
export interface Ratio {
  id: string
  /** Programs that the machine must have. */
  needs: readonly Program[]
  run(bench: Bench): Promise<Measurement[]>
}

/** Returns how often and for how long a ratio is measured. */
export const lengths = ({ isQuick }: Bench): { rounds: number; seconds: number; warmupSeconds: number } =>
  isQuick ? { rounds: 1, seconds: 2, warmupSeconds: 1 } : { rounds: 3, seconds: 8, warmupSeconds: 3 }
