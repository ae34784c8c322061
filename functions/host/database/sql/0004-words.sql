-- What searches compare: the words of a text.

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
