/** Returns JSON text with sorted keys: equal content gives equal text, whatever the order of its keys. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const content = value as Record<string, unknown>
  let text = ''
  for (const name of Object.keys(content).sort()) {
    if (content[name] === undefined) continue
    text += `${text && ','}${JSON.stringify(name)}:${canonicalJson(content[name])}`
  }
  return `{${text}}`
}
