drop table category_redirects;
