/** A named problem (RFC 9457): the last part of its `type` URI, its HTTP status and its title. */
export interface ProblemType {
  name: string
  status: number
  title: string
}

/** One fault in the input: a JSON pointer to it and a sentence. */
export interface FieldError {
  path: string
  message: string
}

/** The body of a problem answer. */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  detail: string
  errors?: FieldError[]
}

/** Content type of a problem answer. */
export const PROBLEM_JSON = 'application/problem+json'

/** Returns the body of a problem answer (RFC 9457). The host, the gateway and the Broker's ingress all build
 * theirs here, so a problem looks the same wherever it comes from.
 * @param detail says what was expected and what arrived; never internals
 * @param errors faults in the input, if the problem is about several or about a part of it */
export const problemDetails = (
  { name, title, status }: ProblemType,
  detail: string,
  errors?: FieldError[],
): ProblemDetails => ({
  type: `https://microbank.dev/problems/${name}`,
  title,
  status,
  detail,
  ...(errors && { errors }),
})
