-- Waits until nobody is posting to an account. An entry gets its time while its account is locked, a moment
-- before it can be seen; so after this, no entry appears whose time is before the call.
create function await_postings(account_id uuid) returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
begin
  perform from accounts a where a.id = await_postings.account_id for share;
end
$$;

revoke execute on function await_postings from public;
grant execute on function await_postings to :functions_role;
