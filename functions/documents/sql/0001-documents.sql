-- Documents that customers have uploaded, and where their bytes are.

-- Bytes in a store: a document's file, or its thumbnail. The row comes first and the bytes after it, so a
-- crash leaves no bytes that nobody knows of. Bytes are never changed: new ones get a row of their own.
create table stored_files (
  id uuid primary key default uuidv7(),
  -- 'writing' until a document has them, 'whole' as long as one has them, then 'dead'. The sweep removes dead
  -- ones, and those that somebody began to write and never finished.
  state text not null default 'writing' check (state in ('writing', 'whole', 'dead')),
  -- Where to read them.
  store text check (store in ('s3', 'database')),
  -- When somebody last began to write them to S3; null if nobody ever did. Without an answer, nobody knows
  -- whether they are there.
  s3_written_at timestamptz,
  bytes integer not null check (bytes > 0),
  sha256 bytea not null check (length(sha256) = 32),
  media_type text not null,
  created_at timestamptz not null default now(),
  -- When they were moved from the database to S3. What is left in the database is removed some time later,
  -- because somebody may be reading it.
  moved_at timestamptz,
  -- How often it could not be moved to S3: others come first.
  move_failures integer not null default 0,
  check (state <> 'whole' or store is not null)
);

create index stored_files_unfinished on stored_files (created_at) where state <> 'whole';
create index stored_files_to_move on stored_files (move_failures, id) where state = 'whole' and store = 'database';
create index stored_files_moved on stored_files (moved_at) where moved_at is not null;

-- The bytes of files that are in the database, in pieces, so that nobody has to hold a whole one.
create table file_pieces (
  file_id uuid not null references stored_files on delete cascade,
  n integer not null,
  bytes bytea not null,
  primary key (file_id, n)
);

-- Images and PDFs are compressed already.
alter table file_pieces alter column bytes set storage external;

create table documents (
  id uuid primary key default uuidv7(),
  user_id uuid not null,
  -- The operator who uploaded it for the customer; null if the customer did, or had it filed.
  uploaded_by uuid check (uploaded_by <> user_id),
  document_type text not null default 'upload' check (document_type in ('upload', 'statement')),
  -- An image is 'processing' until it has been made anew from its pixels. Nobody can download it before.
  -- 'refused' if that is impossible: then it has no bytes.
  status text not null check (status in ('processing', 'ready', 'refused')),
  -- Why it was refused.
  reason text,
  -- Without a path, and with the extension of the media type.
  file_name text not null,
  media_type text not null check (
    media_type in ('image/png', 'image/jpeg', 'image/webp', 'application/pdf')
    or document_type = 'statement' and media_type in ('text/csv', 'application/xml')
  ),
  bytes integer not null,
  sha256 bytea not null,
  -- Pixels; null until an image has been processed, and for a PDF.
  width integer,
  height integer,
  file_id uuid unique references stored_files,
  thumbnail_id uuid unique references stored_files,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  -- When document.uploaded was stated last, and how often: the sweep states it again for an image that is
  -- still not processed.
  stated_at timestamptz not null default now(),
  times_stated integer not null default 1,
  -- What a statement is of; the media type says in which format it is.
  account_id uuid,
  period_from timestamptz,
  period_to timestamptz,
  -- The seal whose checkpoint a statement has; null as long as it has none.
  seal bigint check (seal is null or document_type = 'statement'),
  check (num_nulls(account_id, period_from, period_to) = case document_type when 'statement' then 0 else 3 end),
  check ((status = 'refused') = (file_id is null)),
  check ((status = 'refused') = (reason is not null))
);

create index documents_of_user on documents (user_id, id desc);
-- A statement is filed once, however often it is asked for.
create unique index documents_statements on documents (user_id, account_id, period_from, period_to, media_type)
where document_type = 'statement';
create index documents_in_processing on documents (stated_at) where status = 'processing';

-- What all processes know of a store that may fail: it has a single row. While the store rests, nobody tries
-- it. After that one process tries it, and the others wait for what it finds.
create table store_health (
  store text primary key check (store = 's3'),
  failures integer not null default 0,
  -- Null while it works.
  resting_until timestamptz,
  changed_at timestamptz not null default now()
);
insert into store_health (store) values ('s3');

grant select, insert, update, delete on stored_files, file_pieces, documents to :functions_role;
grant select, update on store_health to :functions_role;
