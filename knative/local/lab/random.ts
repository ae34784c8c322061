/**
 * Returns numbers from 0 up to 1, always the same ones for a seed and a purpose (mulberry32). Each purpose
 * has its own, so that one fault more doesn't change what the others do.
 */
export function createRandom(seed: number, purpose: string): () => number {
  let state = seed >>> 0
  for (const character of purpose) state = Math.imul(state ^ character.codePointAt(0)!, 0x9e37_79b1) >>> 0
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
