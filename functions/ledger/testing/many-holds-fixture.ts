import type { TestLedger } from './ledger-fixture.ts'

/** Writes holds of an account into the books, each placed and released: two entries of holds for each. They
 * are chained as those that the bank writes, to what the account has. */
export async function fillHolds(ledger: TestLedger, account: string, count: number): Promise<void> {
  await ledger.owner.query({
    text: `do $$
      declare
        account accounts;
        last hold_entries;
        id uuid;
        end_id uuid;
        placed bytea;
        ended bytea := first_hold_hash();
        at timestamptz := date_trunc('milliseconds', now());
        version bigint := 0;
        held bigint := 0;
      begin
        select * into account from accounts a where a.id = '${account}';
        select * into last from hold_entries h where h.account_id = account.id order by h.version desc limit 1;
        if found then
          ended := last.hash;
          at := greatest(at, last.created_at);
          version := last.version;
          held := last.held_after;
        end if;
        for n in 1 .. ${count} loop
          id := uuidv7();
          end_id := uuidv7();
          placed := hold_hash(ended, account.id, version + 1, id, 5, held + 5, at, 'open');
          ended := hold_hash(placed, account.id, version + 2, id, -5, held, at, 'released');
          insert into holds (id, account_id, amount, currency, status, user_id, placed_by, created_at, expires_at, ended_at)
          values (id, account.id, 5, account.currency, 'released', account.user_id, account.user_id, at, at, at);
          insert into hold_entries (id, account_id, version, hold_id, amount, held_after, created_at, hash)
          values
            (id, account.id, version + 1, id, 5, held + 5, at, placed),
            (end_id, account.id, version + 2, id, -5, held, at, ended);
          version := version + 2;
        end loop;
      end
      $$`,
  })
}
