drop table tax_rates;
drop table promotion_uses;
drop table promotion_claims;
drop table promotions;
drop table carts;
