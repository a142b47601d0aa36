-- name.de: Eingeschlafene Kunden
-- name.en: Lapsed customers
-- description.de: Hat im letzten Jahr bestellt, in den letzten drei Monaten aber nicht mehr.
-- description.en: Ordered within the last year, but not within the last three months.
-- purpose: profile
-- refresh: 1 day
-- lifetime: 30 days

SELECT profile_id
FROM profile_features
WHERE orders_year >= 1
  AND days_since_order > 90
