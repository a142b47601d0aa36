-- parameters:

-- The devices of an erased person are erased with it, by the same request.
MERGE INTO erasures AS t
USING (
  SELECT lower(to_hex(sha256(to_utf8(x.salt || l.device_id)))) AS tombstone, e.request_id,
    max(e.erased_at) AS erased_at, max(x.salt) AS salt
  FROM live_links AS l
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  JOIN erasures AS e ON e.tombstone = lower(to_hex(sha256(to_utf8(x.salt || l.person_id))))
  GROUP BY lower(to_hex(sha256(to_utf8(x.salt || l.device_id)))), e.request_id
) AS s
ON t.tombstone = s.tombstone AND t.request_id = s.request_id
WHEN NOT MATCHED THEN
  INSERT (tombstone, request_id, erased_at, salt) VALUES (s.tombstone, s.request_id, s.erased_at, s.salt)
