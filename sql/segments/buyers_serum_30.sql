-- name.de: Käufer von Serum 30
-- name.en: Buyers of Serum 30
-- description.de: Hat im letzten Jahr das Produkt serum-30 bestellt und behalten.
-- description.en: Ordered the product serum-30 within the last year and kept it.
-- purpose: profile
-- refresh: 1 hour
-- lifetime: 30 days
-- parameters: as_of, as_of, as_of

-- For another product copy this file under another name. A line without a quantity is one piece; what came back is negative.
SELECT e.profile_id
FROM profile_events AS e
JOIN order_lines AS o ON o.event_id = e.event_id AND o.received_day = e.received_day
WHERE e.received_day >= CAST(date_add('day', -365, ?) AS date)
  AND o.received_day >= CAST(date_add('day', -365, ?) AS date)
  AND o.occurred_at > date_add('day', -365, ?)
  AND o.product_id = 'serum-30'
GROUP BY e.profile_id
HAVING sum(CASE WHEN o.event = 'Order Completed' THEN coalesce(o.quantity, 1) ELSE coalesce(o.quantity, -1) END) > 0
