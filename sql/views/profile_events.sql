-- parameters:

-- Events that may build a profile, with the profile that they belong to: the person that the device is linked to, else
-- the device. A row counts where purpose `profile` was granted and has not been withdrawn since, and where neither the
-- device nor its person has objected to direct marketing: that has no end, and covers what came before it.
CREATE OR REPLACE VIEW profile_events AS
SELECT coalesce(e.person_id, l.person_id, e.device_id) AS profile_id,
  e.event_id, e.source, e.site, e.event, e.occurred_at, e.received_at, e.received_day, e.device_id, e.person_id,
  e.click_id, e.campaign, e.placement, e.creative, e.product_id, e.category, e.order_id, e.quantity, e.value, e.currency,
  e.page_path, e.referrer_host, e.utm_source, e.utm_medium, e.utm_campaign, e.device_class, e.browser, e.os, e.country,
  e.is_bot, e.purposes, e.properties /* , e.brand columns */
FROM events AS e
LEFT JOIN live_links AS l ON l.device_id = e.device_id
LEFT JOIN (
  SELECT subject, max(counts_from) AS counts_from FROM withdrawals
  WHERE purpose IN ('storage', 'profile') GROUP BY subject
) AS dw ON dw.subject = e.device_id
LEFT JOIN (
  SELECT subject, max(counts_from) AS counts_from FROM withdrawals WHERE purpose = 'profile' GROUP BY subject
) AS pw ON pw.subject = coalesce(e.person_id, l.person_id)
CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM rights) AS x
LEFT JOIN (SELECT DISTINCT subject_hash FROM rights WHERE request_kind = 'objection') AS od
  ON od.subject_hash = lower(to_hex(sha256(to_utf8(x.salt || e.device_id))))
LEFT JOIN (SELECT DISTINCT subject_hash FROM rights WHERE request_kind = 'objection') AS op
  ON op.subject_hash = lower(to_hex(sha256(to_utf8(x.salt || coalesce(e.person_id, l.person_id)))))
WHERE e.basis <> 'anonymous'
  AND od.subject_hash IS NULL
  AND op.subject_hash IS NULL
  AND coalesce(e.person_id, e.device_id) IS NOT NULL
  AND contains(e.purposes, 'profile')
  AND coalesce(e.received_at >= dw.counts_from, true)
  AND coalesce(e.received_at >= pw.counts_from, true)
