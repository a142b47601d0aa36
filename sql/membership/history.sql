-- parameters: as_of, segment_id, segment_id, as_of, segment_id

-- One row per run that changed the audience, written when the change is published: it is the mark up to which it is.
MERGE INTO audience_history AS t
USING (
  SELECT ? AS as_of, ? AS segment_id, size, entered, left_count
  FROM (
    SELECT count_if(m.left_at IS NULL) AS size,
      count_if(m.left_at IS NULL AND m.entered_at > p.as_of) AS entered,
      count_if(m.left_at > p.as_of) AS left_count
    FROM segment_members AS m
    CROSS JOIN (
      SELECT coalesce(max(h.as_of), TIMESTAMP '1970-01-01 00:00:00.000') AS as_of
      FROM audience_history AS h WHERE h.segment_id = ? AND h.as_of < ?
    ) AS p
    WHERE m.segment_id = ?
  ) AS counted
  WHERE entered > 0 OR left_count > 0
) AS s
ON t.segment_id = s.segment_id AND t.as_of = s.as_of
WHEN NOT MATCHED THEN
  INSERT (as_of, segment_id, size, entered, left_count) VALUES (s.as_of, s.segment_id, s.size, s.entered, s.left_count)
