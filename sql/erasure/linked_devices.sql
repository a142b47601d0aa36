-- parameters: request_ids

-- The devices of erased persons that the link item has no room for: each erased person's devices as the lake knows them.
SELECT e.request_id, l.device_id
FROM live_links AS l
CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
JOIN erasures AS e ON e.tombstone = lower(to_hex(sha256(to_utf8(x.salt || l.person_id))))
WHERE e.request_id IN (?)
