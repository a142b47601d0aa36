-- name.de: Stöbert in einer Kategorie und kauft nicht
-- name.en: Category browsers without purchase
-- description.de: Hat in den letzten zwei Wochen mindestens drei Produkte einer Kategorie angesehen und dort nichts bestellt.
-- description.en: Looked at three or more products of one category within the last two weeks and ordered nothing of it.
-- purpose: profile
-- refresh: 1 hour
-- lifetime: 14 days
-- parameters: as_of, as_of

SELECT DISTINCT profile_id
FROM profile_history
WHERE day >= CAST(date_add('day', -15, ?) AS date)
  AND occurred_on >= CAST(date_add('day', -14, ?) AS date)
  AND event IN ('Product Viewed', 'Order Completed')
  AND category <> ''
GROUP BY profile_id, category
HAVING sum(CASE WHEN event = 'Product Viewed' THEN times ELSE 0 END) >= 3
  AND count_if(event = 'Order Completed') = 0
