-- parameters:

-- A receipt is proof that there was consent, so it stays and names nobody: its subject becomes the tombstone. The digest of
-- a TC string goes, since whoever holds the string could find its browser by it.
MERGE INTO consents AS t
USING (
  SELECT c.receipt_id, c.subject, e.tombstone
  FROM consents AS c
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS e
    ON e.tombstone = lower(to_hex(sha256(to_utf8(x.salt || c.subject))))
  WHERE c.given_at <= e.erased_at
) AS s
ON t.receipt_id = s.receipt_id AND t.subject = s.subject
WHEN MATCHED THEN UPDATE SET subject = 't.' || s.tombstone, signal_digest = NULL
