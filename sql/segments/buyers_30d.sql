-- name.de: Käufer der letzten 30 Tage
-- name.en: Buyers of the last 30 days
-- description.de: Hat in den letzten 30 Tagen bestellt und davon etwas behalten.
-- description.en: Ordered within the last 30 days and kept some of it.
-- purpose: profile
-- refresh: every run
-- lifetime: 30 days
-- parameters: as_of, as_of, as_of

-- Refunds and cancellations carry negative values. Amounts of two currencies are never added: one that is left over is
-- enough. An order that was sent without an amount counts as bought.
SELECT DISTINCT profile_id
FROM profile_events
WHERE received_day >= CAST(date_add('day', -31, ?) AS date)
  AND occurred_at > date_add('day', -30, ?)
  AND occurred_at <= ?
  AND event IN ('Order Completed', 'Order Refunded', 'Order Cancelled')
GROUP BY profile_id, currency
HAVING count_if(event = 'Order Completed') > 0 AND coalesce(sum(value), 1) > 0
