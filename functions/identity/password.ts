import { UnavailableError } from '../../eventing/unavailable.ts'

/** Parameters of argon2id (RFC 9106): memory in KiB, passes over it, threads. They are the lowest that
 * OWASP's password storage cheat sheet accepts. argon2id is the library's default algorithm. */
export const hashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** The hash of a password that nobody has, made with hashCost. Checking against it takes as long as against a
 * real one, so the time of a log-in doesn't tell whether the user exists. */
export const nobodysHash =
  '$argon2id$v=19$m=19456,t=2,p=1$Zzn8daWYKtiniMxGQj8DSw$iDBqo2QvYje2VR07HXw/87vTt5CFqKQIK3I/WCDLpJA'

// Each hash takes 19 MiB, and a thread of the pool that files and DNS need too. So a few run at once, some
// wait, and all others are told to come back.
const HASHES_AT_ONCE_MAX = 2
const HASHES_WAITING_MAX = 64

type Argon2 = typeof import('@node-rs/argon2')
let loading: Promise<<Result>(work: (argon2: Argon2) => Promise<Result>) => Promise<Result>> | undefined

/** Returns the argon2id hash of a password, as a PHC string. Rejects with UnavailableError under too much
 * load. */
export const hashPassword = (password: string): Promise<string> =>
  withArgon2((argon2) => argon2.hash(normalise(password), hashCost))

/** Says whether `password` belongs to the hash. Without a hash the answer is no, after the same work. Rejects
 * with UnavailableError under too much load. */
export async function isPassword(hash: string | null | undefined, password: string): Promise<boolean> {
  const matches = await withArgon2((argon2) => argon2.verify(hash ?? nobodysHash, normalise(password)))
  return matches && typeof hash === 'string'
}

/** Gives one form to all ways to type the same characters, as NIST SP 800-63B, section 5.1.1.2, asks for. */
export const normalise = (password: string): string => password.normalize('NFKC')

async function withArgon2<Result>(work: (argon2: Argon2) => Promise<Result>): Promise<Result> {
  loading ??= load()
  return (await loading)(work)
}

/** Both libraries are loaded at the first password: a native library loaded before the port opens would
 * lengthen every cold start. */
async function load() {
  const [argon2, { bulkhead, BulkheadRejectedError }] = await Promise.all([
    import('@node-rs/argon2'),
    import('cockatiel'),
  ])
  const limit = bulkhead(HASHES_AT_ONCE_MAX, HASHES_WAITING_MAX)
  return async <Result>(work: (argon2: Argon2) => Promise<Result>): Promise<Result> => {
    try {
      return await limit.execute(() => work(argon2))
    } catch (error) {
      if (error instanceof BulkheadRejectedError) {
        throw new UnavailableError('too many passwords are being checked at once', { cause: error })
      }
      throw error
    }
  }
}
