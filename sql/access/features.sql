-- parameters: request_ids
SELECT r.request_id, f.family, f.feature
FROM features AS f
CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM rights) AS x
JOIN rights AS r ON r.subject_hash = lower(to_hex(sha256(to_utf8(x.salt || f.profile_id))))
WHERE r.request_kind = 'access' AND r.request_id IN (?)
