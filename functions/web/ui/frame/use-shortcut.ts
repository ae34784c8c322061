import { useEffect, useEffectEvent } from 'react'

/** Calls `act` when Ctrl or Cmd and a key are pressed, while `isOn`: once, however long they are held. */
export function useShortcut(key: string, isOn: boolean, act: () => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return
    // Some keyboards need Shift for the full stop; with a letter, Shift makes another shortcut.
    if (event.key !== key && (event.shiftKey || event.key.toLowerCase() !== key)) return
    event.preventDefault()
    if (!event.repeat) act()
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => onKey(event)
    if (isOn) addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [isOn])
}
