-- name.de: Beste Kunden
-- name.en: High value customers
-- description.de: Hat kürzlich und mehrmals bestellt und gehört nach Umsatz zum besten Fünftel der Käufer.
-- description.en: Ordered lately and more than once, and is among the fifth of buyers with the highest value.
-- purpose: profile
-- refresh: 1 day
-- lifetime: 30 days

-- Recency, frequency and monetary value. Each currency has a fifth of its own, since amounts of two are never compared.
SELECT profile_id
FROM (
  SELECT profile_id, days_since_order, orders_year,
    row_number() OVER (PARTITION BY order_currency ORDER BY order_value DESC, profile_id) AS place,
    count(*) OVER (PARTITION BY order_currency) AS buyers
  FROM profile_features
  WHERE orders_year >= 1 AND order_value > 0
) AS ranked
WHERE days_since_order <= 90
  AND orders_year >= 2
  AND place * 5 <= buyers
