-- parameters:

-- The person of each device: the newest link that no later removal has ended.
CREATE OR REPLACE VIEW live_links AS
SELECT device_id, person_id
FROM (
  SELECT l.device_id, l.person_id, row_number() OVER (PARTITION BY l.device_id ORDER BY l.since DESC, l.receipt_id) AS rank
  FROM links AS l
  LEFT JOIN (
    SELECT device_id, person_id, max(removed_at) AS removed_at FROM links GROUP BY device_id, person_id
  ) AS r ON r.device_id = l.device_id AND r.person_id = l.person_id
  WHERE coalesce(l.since > r.removed_at, true)
) AS newest
WHERE rank = 1
