/** Icons take the colour of the text around them. */

export const BellIcon = () => (
  <svg
    width="20"
    height="20"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.6"
    aria-hidden="true"
  >
    <path d="M4 14.5h12l-1.5-2V9a4.5 4.5 0 0 0-9 0v3.5zM8 17a2 2 0 0 0 4 0" strokeLinejoin="round" />
  </svg>
)

export const PersonIcon = () => (
  <svg
    width="20"
    height="20"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.6"
    aria-hidden="true"
  >
    <circle cx="10" cy="7" r="3" />
    <path d="M4 17c.8-3 3-4.5 6-4.5s5.200 1.500 6 4.500" strokeLinecap="round" />
  </svg>
)
