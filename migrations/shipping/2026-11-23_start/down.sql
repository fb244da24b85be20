drop table tracking_events;
drop table shipment_lines;
drop table shipments;
drop table shipping_methods;
drop table shipping_zone_countries;
drop table shipping_zones;
