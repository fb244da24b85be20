drop table browser_tokens;
