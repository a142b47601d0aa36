-- parameters: ingest_window_days, as_of
MERGE INTO consents AS t
USING (
  SELECT receipt_id, subject, site, granted, withdrawn, method, notice_version, given_at, expires_at, prior_receipt_id,
    row_number() OVER (PARTITION BY receipt_id ORDER BY given_at, shard, sequence_number) AS copy
  FROM landing_consents
  WHERE dt >= date_format(date_add('day', -?, ?), '%Y-%m-%d')
) AS s
ON t.receipt_id = s.receipt_id
WHEN NOT MATCHED AND s.copy = 1 THEN
  INSERT (receipt_id, subject, site, granted, withdrawn, method, notice_version, given_at, expires_at, prior_receipt_id)
  VALUES (s.receipt_id, s.subject, s.site, s.granted, s.withdrawn, s.method, s.notice_version, s.given_at, s.expires_at,
    s.prior_receipt_id)
