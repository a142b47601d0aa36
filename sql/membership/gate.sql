-- parameters: as_of, as_of, as_of, as_of

-- Who may not be in a segment any more leaves it in every run, also where the segment is not due or its statement fails:
-- because the purpose is not open any longer, by a withdrawal, an objection, an erasure or an expiry.
MERGE INTO segment_members AS t
USING (
  SELECT m.segment_id, m.profile_id
  FROM segment_members AS m
  JOIN (VALUES /* segments */) AS g (segment_id, purpose) ON g.segment_id = m.segment_id
  LEFT JOIN profile_purposes AS p
    ON p.profile_id = m.profile_id AND p.purpose = 'profile' AND p.expires_at > ?
  LEFT JOIN profile_purposes AS u
    ON u.profile_id = m.profile_id AND u.purpose = g.purpose AND u.expires_at > ?
  LEFT JOIN (SELECT segment_id, max(as_of) AS as_of FROM audience_history GROUP BY segment_id) AS h
    ON h.segment_id = m.segment_id
  WHERE m.left_at IS NULL
    AND (p.profile_id IS NULL OR u.profile_id IS NULL)
    AND coalesce(? > h.as_of, true)
) AS s
ON t.segment_id = s.segment_id AND t.profile_id = s.profile_id
WHEN MATCHED THEN UPDATE SET left_at = ?
