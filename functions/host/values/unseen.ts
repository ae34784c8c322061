/** What no text for people may have, as a part of a class of characters: control characters and line ends,
 * which don't belong on statements; marks that turn the direction of writing, with which a text can be made
 * to look like another; and half a surrogate pair, which Postgres can't store, like NUL. */
export const UNSEEN = '\\p{Cc}\\p{Cs}\\u2028-\\u202E\\u2066-\\u2069'

/** Says in a fault what a text must not have. */
export const NO_UNSEEN = 'must have no control characters, and no marks that turn the direction of writing'

/** Says whether a text has any of it. */
export const hasUnseen = (text: string): boolean => new RegExp(`[${UNSEEN}]`, 'u').test(text)
