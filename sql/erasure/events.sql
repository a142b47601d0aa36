-- parameters:

-- What erased subjects did before their erasure; a new life under the same id stays. An event id is one row, so no row of
-- the source matches two.
MERGE INTO events AS t
USING (
  SELECT e.event_id, e.received_day
  FROM events AS e
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS de
    ON de.tombstone = lower(to_hex(sha256(to_utf8(x.salt || e.device_id))))
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS pe
    ON pe.tombstone = lower(to_hex(sha256(to_utf8(x.salt || e.person_id))))
  WHERE least(e.occurred_at, e.received_at) <= de.erased_at OR least(e.occurred_at, e.received_at) <= pe.erased_at
) AS s
ON t.event_id = s.event_id AND t.received_day = s.received_day
WHEN MATCHED THEN DELETE
