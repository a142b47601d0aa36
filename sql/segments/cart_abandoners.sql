-- name.de: Warenkorb-Abbrecher
-- name.en: Cart abandoners
-- description.de: Hat in den letzten sieben Tagen etwas in den Warenkorb gelegt und danach nicht bestellt.
-- description.en: Put something into the cart within the last seven days and has not ordered since.
-- purpose: profile
-- refresh: every run
-- lifetime: 7 days
-- parameters: as_of, as_of, quiet_seconds, as_of

SELECT profile_id
FROM profile_events
WHERE received_day >= CAST(date_add('day', -8, ?) AS date)
  AND occurred_at > date_add('day', -7, ?)
GROUP BY profile_id
HAVING max(occurred_at) FILTER (WHERE event = 'Product Added') <= date_add('second', -?, ?)
  AND coalesce(
    max(occurred_at) FILTER (WHERE event = 'Order Completed') < max(occurred_at) FILTER (WHERE event = 'Product Added'),
    true)
