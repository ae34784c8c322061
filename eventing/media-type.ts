const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
/** A media type by RFC 9110, section 8.3.1: type/subtype with parameters, whose values may be quoted. It is
 * US-ASCII, as all header fields are. */
const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*(?:${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\\\x00-\\x1f\\x7f-\\uffff]|\\\\[ -~])*"))?)*$`,
)

/** Returns whether a `datacontenttype` can be the value of a Content-Type header, which is never
 * percent-encoded (CloudEvents HTTP binding 1.0.2, section 3.1.1). */
export const isMediaType = (type: string): boolean => type === 'application/json' || MEDIA_TYPE.test(type)
