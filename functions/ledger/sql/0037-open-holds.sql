-- A customer has few open holds. Without this index, the list of them also reads all holds that have ended.
create index holds_open_of_user on holds (user_id, id) where status = 'open' and user_id is not null;
