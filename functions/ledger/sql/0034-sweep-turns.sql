-- The order of sweep-ledger's jobs. It has less time than they might need, so each job notes that its turn
-- begins, and the next sweep begins with the job whose last turn was the longest ago.
create table sweep_turns (
  job text primary key,
  -- Turns are counted, because clocks can be set back.
  n bigint not null
);

-- Notes that the turn of a job begins: not that it ended, so one that never ends can't always be the first.
create function take_turn(job text) returns void
language sql security definer
set search_path = public, pg_temp
begin atomic
  insert into sweep_turns as s (job, n)
  values (take_turn.job, (select coalesce(max(t.n), 0) + 1 from sweep_turns t))
  on conflict on constraint sweep_turns_pkey do update set n = excluded.n;
end;

grant select on sweep_turns to :functions_role;
revoke execute on function take_turn from public;
grant execute on function take_turn to :functions_role;
