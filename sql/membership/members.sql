-- parameters: as_of, segment_purpose, as_of, segment_id, as_of, segment_id, segment_id, as_of, as_of, segment_id, as_of

-- Who has come and who has gone since the last run; who stays is not written. Whatever the segment selects, a member is a
-- profile that may be used for profiling and for the segment's own purpose now. A run that comes late, for a time that is
-- published already, changes nothing: its changes would lie behind the mark and never be published.
MERGE INTO segment_members AS t
USING (
  SELECT coalesce(n.profile_id, c.profile_id) AS profile_id, n.profile_id IS NOT NULL AS is_member
  FROM (
    /* admitted */
    SELECT DISTINCT q.profile_id FROM (
      /* segment */
    ) AS q
    JOIN profile_purposes AS p ON p.profile_id = q.profile_id AND p.purpose = 'profile' AND p.expires_at > ?
    JOIN profile_purposes AS u ON u.profile_id = q.profile_id AND u.purpose = ? AND u.expires_at > ?
    /* admitted */
  ) AS n
  FULL OUTER JOIN (
    SELECT profile_id FROM segment_members WHERE segment_id = ? AND left_at IS NULL
  ) AS c ON c.profile_id = n.profile_id
  WHERE (n.profile_id IS NULL OR c.profile_id IS NULL)
    AND coalesce(? > (SELECT max(h.as_of) FROM audience_history AS h WHERE h.segment_id = ?), true)
) AS s
ON t.segment_id = ? AND t.profile_id = s.profile_id
WHEN MATCHED AND s.is_member THEN UPDATE SET entered_at = ?, left_at = NULL
WHEN MATCHED THEN UPDATE SET left_at = ?
WHEN NOT MATCHED THEN
  INSERT (segment_id, profile_id, entered_at, left_at) VALUES (?, s.profile_id, ?, NULL)
