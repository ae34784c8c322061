/** An operator's session in a browser ends when nobody has used it for this long. The pages warn of it. */
export const OPERATOR_IDLE_SECONDS = 15 * 60
