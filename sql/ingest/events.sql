-- parameters: ingest_window_days, as_of, duplicate_window_days, as_of

-- One row per event id: a retried batch overwrites its file, but a batch that was cut otherwise overlaps the first one,
-- and a sender's retry is the same event under another sequence number.
MERGE INTO events AS t
USING (
  SELECT c.event_id, c.schema_version, c.source, c.site, c.event, c.occurred_at, c.received_at, c.time_clamped,
    c.device_id, c.person_id, c.click_id, c.campaign, c.placement, c.creative, c.product_id, c.category, c.order_id,
    c.quantity, c.value, c.currency, c.page_path, c.referrer_host, c.utm_source, c.utm_medium, c.utm_campaign,
    c.device_class, c.browser, c.os, c.country, c.is_bot, c.bot_reason, c.purposes, c.basis,
    -- An anonymous row keeps nothing that leads back to its request.
    CASE WHEN c.basis <> 'anonymous' THEN c.shard END AS shard,
    CASE WHEN c.basis <> 'anonymous' THEN c.sequence_number END AS sequence_number,
    c.properties, CAST(c.received_at AS date) AS received_day /* , c.brand columns */
  FROM (
    SELECT l.*, row_number() OVER (PARTITION BY l.event_id ORDER BY l.received_at, l.shard, l.sequence_number) AS copy
    FROM landing_events AS l
    WHERE l.dt >= date_format(date_add('day', -?, ?), '%Y-%m-%d')
  ) AS c
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS de
    ON de.tombstone = lower(to_hex(sha256(to_utf8(x.salt || c.device_id))))
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS pe
    ON pe.tombstone = lower(to_hex(sha256(to_utf8(x.salt || c.person_id))))
  LEFT JOIN (
    SELECT subject, max(counts_from) AS counts_from FROM withdrawals
    WHERE purpose IN ('storage', 'measurement') GROUP BY subject
  ) AS dw ON dw.subject = c.device_id
  LEFT JOIN (
    SELECT subject, max(counts_from) AS counts_from FROM withdrawals WHERE purpose = 'measurement' GROUP BY subject
  ) AS pw ON pw.subject = c.person_id
  WHERE c.copy = 1
    -- A copy that comes after an erasure of what happened before it stays out; a new life under the same id does not.
    AND coalesce(least(c.occurred_at, c.received_at) > de.erased_at, true)
    AND coalesce(least(c.occurred_at, c.received_at) > pe.erased_at, true)
    -- Nor a row whose measurement, or device's storage, is withdrawn. Other withdrawn fields go at the next maintenance.
    AND coalesce(c.received_at >= dw.counts_from, true)
    AND coalesce(c.received_at >= pw.counts_from, true)
) AS s
ON t.event_id = s.event_id AND t.received_day >= CAST(date_add('day', -?, ?) AS date)
WHEN NOT MATCHED THEN
  INSERT (event_id, schema_version, source, site, event, occurred_at, received_at, time_clamped, device_id, person_id,
    click_id, campaign, placement, creative, product_id, category, order_id, quantity, value, currency, page_path,
    referrer_host, utm_source, utm_medium, utm_campaign, device_class, browser, os, country, is_bot, bot_reason, purposes,
    basis, shard, sequence_number, properties, received_day /* , brand columns */)
  VALUES (s.event_id, s.schema_version, s.source, s.site, s.event, s.occurred_at, s.received_at, s.time_clamped,
    s.device_id, s.person_id, s.click_id, s.campaign, s.placement, s.creative, s.product_id, s.category, s.order_id,
    s.quantity, s.value, s.currency, s.page_path, s.referrer_host, s.utm_source, s.utm_medium, s.utm_campaign,
    s.device_class, s.browser, s.os, s.country, s.is_bot, s.bot_reason, s.purposes, s.basis, s.shard, s.sequence_number,
    s.properties, s.received_day /* , s.brand columns */)
