-- parameters: segment_id, segment_id, segment_id, minimum_size, as_of, segment_id

-- What has changed since the last difference that was published. `activation` says whether an entry may leave the house:
-- the purpose is open for the profile now, and the segment has reached its minimum size. The run in which it does so hands
-- on everybody, since those of before have not left the house yet.
SELECT m.profile_id, m.left_at IS NULL AS entered, a.profile_id IS NOT NULL AND n.size >= n.minimum AS activation
FROM segment_members AS m
CROSS JOIN (
  SELECT
    (SELECT count(*) FROM segment_members AS c WHERE c.segment_id = ? AND c.left_at IS NULL) AS size,
    (SELECT max_by(h.size, h.as_of) FROM audience_history AS h WHERE h.segment_id = ?) AS size_before,
    (SELECT max(h.as_of) FROM audience_history AS h WHERE h.segment_id = ?) AS as_of,
    ? AS minimum
) AS n
LEFT JOIN profile_purposes AS a
  ON a.profile_id = m.profile_id AND a.purpose = 'activation' AND a.expires_at > ?
WHERE m.segment_id = ?
  AND (coalesce(coalesce(m.left_at, m.entered_at) > n.as_of, true)
    OR (m.left_at IS NULL AND n.size >= n.minimum AND n.size_before < n.minimum))
