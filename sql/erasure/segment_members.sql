-- parameters: sweep_hours, as_of

-- Whose departure has been published is nobody's member any more. Whose erasure is older than the stream goes in any case:
-- until then the departure is told to the destinations as any other is, because they must remove the member too.
MERGE INTO segment_members AS t
USING (
  SELECT m.segment_id, m.profile_id
  FROM segment_members AS m
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  LEFT JOIN (SELECT segment_id, max(as_of) AS as_of FROM audience_history GROUP BY segment_id) AS h
    ON h.segment_id = m.segment_id
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS e
    ON e.tombstone = lower(to_hex(sha256(to_utf8(x.salt || m.profile_id))))
  WHERE m.left_at <= h.as_of
    OR (m.entered_at <= e.erased_at AND e.erased_at <= date_add('hour', -?, ?))
) AS s
ON t.segment_id = s.segment_id AND t.profile_id = s.profile_id
WHEN MATCHED THEN DELETE
