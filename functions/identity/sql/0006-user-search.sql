-- Operators find users by words of their names and email addresses (functions/host/database/sql has
-- words_of).

create function user_words(name text, email text) returns tsvector
language sql immutable parallel safe
return array_to_tsvector(words_of(name || ' ' || email));

-- What finds all users with words that begin like those of a text; null if it has none.
create function user_query(text text) returns tsquery
language sql immutable parallel safe
return (select string_agg(format('''%s'':*', word), ' & ') from unnest(words_of(text)) word)::tsquery;

create index users_search on users using gin (user_words(name, email)) where deleted_at is null;
