-- Customers who have left the bank. The sweep deletes their documents. forget-documents writes a row for each
-- user.deleted; the row makes it count once.
create table left_customers (
  user_id uuid primary key,
  left_at timestamptz not null default now(),
  -- When the last of their documents was deleted. With a token from before they left somebody may still have
  -- been uploading, so this is set an hour later at the earliest.
  forgotten_at timestamptz
);

create index left_customers_to_forget on left_customers (left_at) where forgotten_at is null;

grant select, insert, update on left_customers to :functions_role;
