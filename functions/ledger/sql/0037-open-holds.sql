-- A customer's open holds are few. Without this index, their list reads the ended ones too, of which there is
-- no end.
create index holds_open_of_user on holds (user_id, id) where status = 'open';
