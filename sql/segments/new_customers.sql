-- name.de: Neue Kunden
-- name.en: New customers
-- description.de: Hat in den letzten 30 Tagen zum ersten Mal bestellt.
-- description.en: Ordered for the first time within the last 30 days.
-- purpose: profile
-- refresh: 1 hour
-- lifetime: 30 days
-- parameters: as_of

SELECT profile_id
FROM profile_features
WHERE first_order_on >= CAST(date_add('day', -30, ?) AS date)
