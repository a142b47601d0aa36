-- parameters: ingest_window_days, as_of
MERGE INTO links AS t
USING (
  SELECT device_id, person_id, since, receipt_id, min(removed_at) AS removed_at
  FROM landing_links
  WHERE dt >= date_format(date_add('day', -?, ?), '%Y-%m-%d')
  GROUP BY device_id, person_id, since, receipt_id
) AS s
ON t.device_id = s.device_id AND t.person_id = s.person_id AND t.since = s.since AND t.receipt_id = s.receipt_id
WHEN MATCHED AND t.removed_at IS NULL AND s.removed_at IS NOT NULL THEN
  UPDATE SET removed_at = s.removed_at
WHEN NOT MATCHED THEN
  INSERT (device_id, person_id, since, receipt_id, removed_at)
  VALUES (s.device_id, s.person_id, s.since, s.receipt_id, s.removed_at)
