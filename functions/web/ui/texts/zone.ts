/** The clocks on which times are shown and days begin: the reader's, or those of UTC. */
export type Zone = 'local' | 'utc'

let zone: Zone = 'local'

/** Returns the zone of all times of the page. Like the browser's own zone, it is the same for all of them. */
export const shownZone = (): Zone => zone

/** Sets the zone of all times from now on. SettingsProvider draws them anew. */
export function showZone(next: Zone): void {
  zone = next
}
