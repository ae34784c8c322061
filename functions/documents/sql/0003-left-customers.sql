-- Customers who have left the bank. The sweep deletes their documents. forget-documents writes a row for each
-- user.deleted. If the event comes again, the row is there, and nothing happens.
create table left_customers (
  user_id uuid primary key,
  left_at timestamptz not null default now(),
  -- When the sweep found that none of their documents is left. An upload may have been under way when they
  -- left, so this is set an hour later at the earliest.
  forgotten_at timestamptz
);

create index left_customers_to_forget on left_customers (left_at) where forgotten_at is null;

grant select, insert, update on left_customers to :functions_role;
