/** What the live picture of the bank is made of. Each part has a name. */
interface PictureParts {
  as_of: string
  functions: readonly { name: string }[]
  triggers: readonly { name: string; delivered: number | null }[]
  brokers: readonly { name: string }[]
}

/** Events that the consumer of a Trigger has taken. */
export interface Deliveries {
  trigger: string
  count: number
}

/** Puts changed parts into a picture. */
export function withChange<Picture extends PictureParts>(before: Picture, change: Partial<Picture>): Picture {
  const put = <Part extends { name: string }>(
    parts: readonly Part[],
    changed: readonly Part[] = [],
  ): Part[] => {
    const byName = new Map(changed.map((part) => [part.name, part]))
    return parts.map((part) => byName.get(part.name) ?? part)
  }
  return {
    ...before,
    as_of: change.as_of ?? before.as_of,
    functions: put(before.functions, change.functions),
    triggers: put(before.triggers, change.triggers),
    brokers: put(before.brokers, change.brokers),
  }
}

/** What was delivered between two pictures. After a restart of the bank it counts from zero again. */
export function deliveredBetween(before: PictureParts, after: PictureParts): Deliveries[] {
  const known = new Map(before.triggers.map(({ name, delivered }) => [name, delivered]))
  return after.triggers.flatMap(({ name, delivered }) => {
    const count = (delivered ?? 0) - (known.get(name) ?? 0)
    return count > 0 && known.has(name) ? [{ trigger: name, count }] : []
  })
}
