-- parameters:

-- The lines of orders, refunds and cancellations, in the sender's order; equal lines are two lines. An order without
-- lines is one line of its own product. `price` is per unit, in the event's currency.
CREATE OR REPLACE VIEW order_lines AS
SELECT o.event_id, n.line_no, o.event, o.occurred_at, o.received_day, o.order_id, o.currency,
  CASE WHEN o.line_count > 0
    THEN json_extract_scalar(json_array_get(o.products, n.line_no - 1), '$.product_id')
    ELSE o.product_id END AS product_id,
  CASE WHEN o.line_count > 0
    THEN json_extract_scalar(json_array_get(o.products, n.line_no - 1), '$.category')
    ELSE o.category END AS category,
  CASE WHEN o.line_count > 0
    THEN CAST(json_extract_scalar(json_array_get(o.products, n.line_no - 1), '$.quantity') AS bigint)
    ELSE o.quantity END AS quantity,
  CASE WHEN o.line_count > 0
    THEN CAST(json_extract_scalar(json_array_get(o.products, n.line_no - 1), '$.price') AS decimal(18, 4)) END AS price
FROM (
  SELECT e.*, element_at(e.properties, 'products') AS products,
    coalesce(json_array_length(element_at(e.properties, 'products')), 0) AS line_count
  FROM events AS e
  WHERE e.event IN ('Order Completed', 'Order Refunded', 'Order Cancelled')
) AS o
CROSS JOIN UNNEST(sequence(1, greatest(o.line_count, 1))) AS n (line_no)
