/** Whether the bank is on the reader's own machine, judging by the host in its address. */
export const isLaptop = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname)
