/** The clocks on which times are shown and days begin: the reader's, or those of UTC. */
export type Zone = 'local' | 'utc'

let zone: Zone = 'local'

/** Returns the zone of all times of the page. As the browser's own zone, it is one for all. */
export const shownZone = (): Zone => zone

/** Shows all times in a zone from now on. SettingsProvider renders them anew. */
export function showZone(next: Zone): void {
  zone = next
}
