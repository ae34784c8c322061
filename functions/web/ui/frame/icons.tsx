import type { ReactNode } from 'react'

/** An icon takes the colour of the text around it. */
const Icon = ({ children }: { children: ReactNode }) => (
  <svg
    width="20"
    height="20"
    viewBox="0 0 20 20"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.6"
    aria-hidden="true"
  >
    {children}
  </svg>
)

export const BellIcon = () => (
  <Icon>
    <path d="M4 14.5h12l-1.5-2V9a4.5 4.5 0 0 0-9 0v3.5zM8 17a2 2 0 0 0 4 0" strokeLinejoin="round" />
  </Icon>
)

export const SearchIcon = () => (
  <Icon>
    <circle cx="8.5" cy="8.5" r="5" />
    <path d="m12.2 12.2 4.8 4.8" strokeLinecap="round" />
  </Icon>
)

export const PersonIcon = () => (
  <Icon>
    <circle cx="10" cy="7" r="3" />
    <path d="M4 17c.8-3 3-4.5 6-4.5s5.2 1.5 6 4.5" strokeLinecap="round" />
  </Icon>
)
