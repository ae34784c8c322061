-- Operators find users by words of their names and email addresses.

-- Returns the text as it is compared: without regard to case, and to the ways in which Unicode writes the
-- same letter.
create function comparable_text(text text) returns text
language sql immutable parallel safe
return casefold(normalize(text, NFKC) collate pg_unicode_fast);

-- Returns the words of a text in their order. A word is a run of letters and digits. Chinese and Japanese
-- don't part words, so there each character is one.
create function words_of(text text) returns text[]
language sql immutable parallel safe
cost 1000
return array(
  select word[1]
  from regexp_matches(
    comparable_text(text) collate pg_unicode_fast,
    '[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]'
    || '|(?:(?![\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])[[:alnum:]])+',
    'g'
  ) word
);

create function user_words(name text, email text) returns tsvector
language sql immutable parallel safe
return array_to_tsvector(words_of(name || ' ' || email));

-- What finds all users with words that begin like those of a text; null if it has none.
create function user_query(text text) returns tsquery
language sql immutable parallel safe
return (select string_agg(format('''%s'':*', word), ' & ') from unnest(words_of(text)) word)::tsquery;

create index users_search on users using gin (user_words(name, email)) where deleted_at is null;
