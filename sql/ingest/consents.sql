-- parameters: ingest_window_days, as_of

-- One row per receipt: Athena breaks off a MERGE in which two rows of the source match one of the target, also where
-- nothing would be done with them.
MERGE INTO consents AS t
USING (
  SELECT receipt_id, subject, site, granted, withdrawn, method, notice_version, given_at, expires_at, prior_receipt_id,
    controller, language, notice_digest, legal_basis, region, signal_kind, signal_digest, signal_updated_at,
    email_permission, email_requested_at, email_confirmed_at, email_text_version
  FROM (
    SELECT l.*, row_number() OVER (PARTITION BY l.receipt_id ORDER BY l.given_at, l.shard, l.sequence_number) AS copy
    FROM landing_consents AS l
    WHERE l.dt >= date_format(date_add('day', -?, ?), '%Y-%m-%d')
  ) AS c
  WHERE c.copy = 1
) AS s
ON t.receipt_id = s.receipt_id
WHEN NOT MATCHED THEN
  INSERT (receipt_id, subject, site, granted, withdrawn, method, notice_version, given_at, expires_at, prior_receipt_id,
    controller, language, notice_digest, legal_basis, region, signal_kind, signal_digest, signal_updated_at,
    email_permission, email_requested_at, email_confirmed_at, email_text_version)
  VALUES (s.receipt_id, s.subject, s.site, s.granted, s.withdrawn, s.method, s.notice_version, s.given_at, s.expires_at,
    s.prior_receipt_id, s.controller, s.language, s.notice_digest, s.legal_basis, s.region, s.signal_kind,
    s.signal_digest, s.signal_updated_at, s.email_permission, s.email_requested_at, s.email_confirmed_at,
    s.email_text_version)
