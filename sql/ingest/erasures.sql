-- parameters: ingest_window_days, as_of
MERGE INTO erasures AS t
USING (
  SELECT tombstone, request_id, max(erased_at) AS erased_at, max(salt) AS salt
  FROM landing_erasures
  WHERE dt >= date_format(date_add('day', -?, ?), '%Y-%m-%d')
  GROUP BY tombstone, request_id
) AS s
ON t.tombstone = s.tombstone AND t.request_id = s.request_id
WHEN NOT MATCHED THEN
  INSERT (tombstone, request_id, erased_at, salt)
  VALUES (s.tombstone, s.request_id, s.erased_at, s.salt)
