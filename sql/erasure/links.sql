-- parameters:

-- A link names two; it goes with either of them.
MERGE INTO links AS t
USING (
  SELECT l.device_id, l.person_id, l.since, l.receipt_id
  FROM links AS l
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS de
    ON de.tombstone = lower(to_hex(sha256(to_utf8(x.salt || l.device_id))))
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS pe
    ON pe.tombstone = lower(to_hex(sha256(to_utf8(x.salt || l.person_id))))
  WHERE l.since <= de.erased_at OR l.since <= pe.erased_at
) AS s
ON t.device_id = s.device_id AND t.person_id = s.person_id AND t.since = s.since AND t.receipt_id = s.receipt_id
WHEN MATCHED THEN DELETE
