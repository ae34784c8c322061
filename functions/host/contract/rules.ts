/** A rule that no schema says: where the fault is (a JSON pointer) and its sentence, as patterns of the whole
 * text. */
interface Rule {
  path: string
  message: string
}

const MONEY =
  '/(.+/)?(amount|amount_min|amount_max|balance|overdraft_limit|transaction_max|day_max|month_max|fixed|minimum|maximum|from)'

/** What may be wrong with a request that fits its schema. The contract shows it, and
 * tests/contract-in-use.test.ts holds the bank to it. */
export const rules: readonly Rule[] = [
  // The currency decides: often it is another field, and sometimes that of an account.
  { path: MONEY, message: 'must have at most [0-4] decimals, as [A-Z]{3} has' },
  { path: MONEY, message: 'must be at most [0-9]+(\\.[0-9]+)?' },
  { path: '/(.+/)?currency', message: 'must be a currency of ISO 4217, like "USD"' },
  // A number can have more decimals than a schema can say.
  { path: '/(.+/)?percent', message: 'must be a number from 0 to 100 with at most 4 decimals, like "2\\.9"' },
  // A value depends on another.
  { path: '/(id|account_number|query)', message: 'does not go with (id|account_number|query)' },
  { path: '/email', message: 'can’t be given with a number' },
  { path: '/number', message: 'or email is required' },
  { path: '/schedule/on', message: 'does not go with every day|must be a weekday from 1 \\(Monday\\) to 7' },
  { path: '/basis', message: 'must be booking if the format is proof' },
  { path: '/(from_version|to_version|known_version)', message: 'must not be given with .+' },
  { path: '/(from|to)', message: 'must be the beginning of a day in UTC with basis=value' },
  { path: '/(to|from_version|to_version)', message: 'must not be (before|after|less than) .+' },
  { path: '/to_version', message: 'must be at least (from_version|[0-9]+)' },
  { path: '/from', message: 'must not be more than `to`' },
  { path: '/amount_max', message: 'must not be less than amount_min' },
  { path: '/rules(/.+)?/maximum', message: 'must not be less than the minimum' },
  { path: '/rules/tiers/[0-9]+/from', message: 'must be more than that of the tier before' },
  { path: '/faults/[0-9]+/.+', message: '.+ is no fault of a single function' },
  { path: '/faults/[0-9]+/.+', message: '.+ has no such figure|must be from [0-9]+ to [0-9]+ for .+' },
  { path: '/(new_)?password', message: 'must not contain the email address' },
  // The caller's role decides.
  { path: '/(user_id|reason)', message: 'is required from operators' },
  { path: '/types/[0-9]+', message: 'must be one of [a-z., -]+' },
  // What the bank has decides.
  { path: '/cursor', message: 'must be the next_cursor of an earlier page' },
  { path: '/last_event_id', message: 'must be the id of an event of an earlier stream' },
  { path: '/from', message: 'must be less than [0-9]+, the version of the hold’s end' },
  { path: '/to', message: 'must not be more than the tree has sealed leaves: [0-9]+' },
  {
    path: '/(from_version|to_version|known_version)',
    message: 'must be at most [0-9]+, the number of the account’s last entry',
  },
  // The time decides.
  { path: '/(from|to|known_at|as_of|since)', message: 'must not be in the future' },
  { path: '/valid_from', message: 'must be in the future; without it, the change holds from now' },
  { path: '/schedule(/run_at)?', message: 'must be due at least once after this request' },
  { path: '/schedule/(run_at|from)', message: 'must be within [0-9]+ years' },
  // An offset moves a moment out of the years that the bank has.
  { path: '/.+', message: 'must be an existing moment in the years 0001 to 9999 UTC' },
  // Lists and sums decide: of zones, check digits, letters, passwords that have leaked.
  {
    path: '/(schedule/)?time_zone',
    message: 'must be a time zone(, like "Europe/Berlin"| of the IANA database)',
  },
  { path: '/number', message: 'has a wrong digit' },
  { path: '/query', message: 'must have (at least one|a) letter or (a )?digit' },
  { path: '/(new_)?password', message: 'is known from leaks of passwords' },
  {
    path: '/(new_)?password',
    message: 'must not (repeat the same few characters|be a row of the alphabet or keyboard)',
  },
  // Letters that Unicode puts together are one.
  { path: '/(new_)?password', message: 'must have at least [0-9]+ characters' },
  { path: '/return_url', message: 'must be an https URL without a user and a password' },
  { path: '/(transactions/[0-9]+/)?metadata', message: 'must take at most [0-9]+ bytes as JSON' },
]
