-- The facts of documents: see eventing/sql/0002-facts.sql.

insert into facts_totals (name, labels)
select 'microbank_events_total', jsonb_build_object('type', type)
from unnest(array[
  'document.deleted', 'document.processed', 'document.uploaded'
]) type;
