import type { Program } from './programs.ts'
import type { Progress } from './progress.ts'
import type { Measurement } from './rounds.ts'
import type { Undo } from '../knative/local/processes/undo.ts'

/** What a ratio gets to work with. */
export interface Bench {
  /** Folder of the repository. */
  root: string
  /** Folder for bundles, data and logs. */
  folder: string
  /** Short rounds, for development: the figures mean little. */
  isQuick: boolean
  /** Whether what one would build without microbank is measured too. */
  withPeer: boolean
  progress: Progress
  /** What the ratio has started; undone when it has ended, however it ends. */
  undo: Undo
}

/** One of the measurements of the bench, by the name with which it can be run alone. */
export interface Ratio {
  id: string
  /** Programs that it needs on the machine. */
  needs: readonly Program[]
  run(bench: Bench): Promise<Measurement[]>
}

/** How often and how long a ratio is measured. */
export const lengths = ({ isQuick }: Bench): { rounds: number; seconds: number; warmupSeconds: number } =>
  isQuick ? { rounds: 1, seconds: 2, warmupSeconds: 1 } : { rounds: 3, seconds: 8, warmupSeconds: 3 }
