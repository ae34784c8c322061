/** The keywords of an object's schema that the contract looks into. */
export interface ObjectSchema {
  required?: readonly string[]
  properties?: Readonly<Record<string, { description?: string }>>
}
