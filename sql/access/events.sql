-- parameters: request_ids

-- A row has a device or a person, never both. Times in milliseconds since the epoch.
SELECT r.request_id, e.event_id, e.source, e.site, e.event,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', e.occurred_at) AS occurred_at,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', e.received_at) AS received_at,
  e.person_id IS NOT NULL AS of_person, e.click_id, e.campaign, e.placement, e.creative, e.product_id, e.category,
  e.order_id, e.quantity, e.value, e.currency, e.page_path, e.referrer_host, e.utm_source, e.utm_medium, e.utm_campaign,
  e.device_class, e.browser, e.os, e.country, e.is_bot, e.purposes, e.basis, e.properties /* , e.brand columns */
FROM events AS e
CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM rights) AS x
JOIN rights AS r
  ON r.subject_hash = lower(to_hex(sha256(to_utf8(x.salt || coalesce(e.person_id, e.device_id)))))
WHERE r.request_kind = 'access' AND r.request_id IN (?)
