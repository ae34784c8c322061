/** Returns a client's address as Postgres takes it for an `inet`; null if it is unknown. An IPv6 address may
 * name a network card (`fe80::1%eth0`), which says nothing about the client. */
export const inetOf = (address: string): string | null => address.split('%', 1)[0] || null

/** Returns the id of a traceparent's trace: 32 hexadecimal digits, which Postgres takes for a `uuid`. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)
