// Sets the language, the theme, the density and the zone that the reader chose before anything is painted.
try {
  const theme = localStorage.getItem('theme')
  if (theme) document.documentElement.dataset.theme = theme
  const density = localStorage.getItem('density')
  if (density) document.documentElement.dataset.density = density
  const zone = localStorage.getItem('zone')
  if (zone) document.documentElement.dataset.zone = zone
  const language = localStorage.getItem('language') ?? navigator.language.slice(0, 2)
  document.documentElement.lang = language === 'de' ? 'de' : 'en'
} catch {
  // The browser keeps nothing: the system's theme counts.
}
