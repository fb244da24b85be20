drop table review_purchases;
drop table review_aggregates;
drop table review_reports;
drop table review_votes;
drop table reviews;
