/** Whether the bank is on the reader's own machine, by the name that they call it by. */
export const isLaptop = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)
