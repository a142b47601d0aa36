-- parameters: request_ids
SELECT r.request_id, m.segment_id,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', m.entered_at) AS entered_at,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000', m.left_at) AS left_at
FROM segment_members AS m
CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM rights) AS x
JOIN rights AS r ON r.subject_hash = lower(to_hex(sha256(to_utf8(x.salt || m.profile_id))))
WHERE r.request_kind = 'access' AND r.request_id IN (?)
