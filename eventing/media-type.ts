const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
/** RFC 9110, section 8.3.1: type/subtype with parameters, whose values may be quoted; in US-ASCII as all
 * header fields. */
const MEDIA_TYPE = new RegExp(
  `^${TOKEN}/${TOKEN}(?:[ \\t]*;[ \\t]*(?:${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\\\x00-\\x1f\\x7f-\\uffff]|\\\\[ -~])*"))?)*$`,
)

/** Whether a `datacontenttype` can stand in a Content-Type header, which is never percent-encoded (HTTP
 * binding 1.0.2, section 3.1.1). */
export const isMediaType = (type: string): boolean => type === 'application/json' || MEDIA_TYPE.test(type)
