-- parameters: ingest_window_days, as_of
MERGE INTO rights AS t
USING (
  SELECT request_kind, subject_hash, salt, request_id, max(requested_at) AS requested_at
  FROM landing_rights
  WHERE dt >= date_format(date_add('day', -?, ?), '%Y-%m-%d')
  GROUP BY request_kind, subject_hash, salt, request_id
) AS s
ON t.request_kind = s.request_kind AND t.subject_hash = s.subject_hash AND t.request_id = s.request_id
WHEN NOT MATCHED THEN
  INSERT (request_kind, subject_hash, salt, request_id, requested_at)
  VALUES (s.request_kind, s.subject_hash, s.salt, s.request_id, s.requested_at)
