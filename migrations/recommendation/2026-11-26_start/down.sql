drop table recommendation_model_parts;
drop table recommendation_models;
drop table recommendation_clicks;
drop table recommendation_impressions;
drop table recommendation_interactions;
