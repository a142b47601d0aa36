-- parameters:

-- The lines of orders, refunds and cancellations, in the sender's order; equal lines are two lines. An order without
-- lines is one line of its own product. `price` is per unit, in the event's currency.
-- The lines are taken out of the JSON text as one text each (an object without objects in it, whose strings may hold
-- braces): reading the whole document once per line is quadratic, and an order can have a thousand of them.
CREATE OR REPLACE VIEW order_lines AS
SELECT o.event_id, n.line_no, o.event, o.occurred_at, o.received_at, o.received_day, o.device_id, o.person_id, o.is_bot,
  o.purposes, o.basis, o.order_id, o.currency,
  CASE WHEN n.line = '' THEN o.product_id ELSE json_extract_scalar(n.line, '$.product_id') END AS product_id,
  CASE WHEN n.line = '' THEN o.category ELSE json_extract_scalar(n.line, '$.category') END AS category,
  CASE WHEN n.line = '' THEN o.quantity ELSE CAST(json_extract_scalar(n.line, '$.quantity') AS bigint) END AS quantity,
  CAST(json_extract_scalar(n.line, '$.price') AS decimal(18, 4)) AS price
FROM (
  SELECT event_id, event, occurred_at, received_at, received_day, device_id, person_id, is_bot, purposes, basis, order_id,
    currency, product_id, category, quantity,
    regexp_extract_all(
      coalesce(element_at(properties, 'products'), ''), '\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}'
    ) AS lines
  FROM events
  WHERE event IN ('Order Completed', 'Order Refunded', 'Order Cancelled')
) AS o
CROSS JOIN UNNEST(CASE WHEN cardinality(o.lines) > 0 THEN o.lines ELSE ARRAY[''] END) WITH ORDINALITY AS n (line, line_no)
