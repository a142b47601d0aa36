-- parameters:

-- What erased subjects did before their erasure, and what was received before a withdrawal of what it stands on. A row that
-- an erasure cuts in two goes whole: the plan adds up the rest anew while the day is open, and an erasure is never late
-- enough for it not to be.
MERGE INTO profile_days AS t
USING (
  SELECT d.day, d.subject, d.event, d.occurred_on, d.product_id, d.category, d.campaign, d.placement, d.device_class,
    d.currency
  FROM profile_days AS d
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS e
    ON e.tombstone = lower(to_hex(sha256(to_utf8(x.salt || d.subject))))
  LEFT JOIN (
    SELECT subject, max(counts_from) AS counts_from FROM withdrawals
    WHERE purpose IN ('storage', 'profile') GROUP BY subject
  ) AS dw ON dw.subject = d.subject AND NOT d.is_person
  LEFT JOIN (SELECT subject, counts_from FROM withdrawals WHERE purpose = 'profile') AS pw
    ON pw.subject = d.subject AND d.is_person
  WHERE least(d.first_at, d.first_received_at) <= e.erased_at
    OR d.first_received_at < dw.counts_from OR d.first_received_at < pw.counts_from
) AS s
ON t.day = s.day AND t.subject = s.subject AND t.event = s.event AND t.occurred_on = s.occurred_on
  AND t.product_id = s.product_id AND t.category = s.category AND t.campaign = s.campaign
  AND t.placement = s.placement AND t.device_class = s.device_class AND t.currency = s.currency
WHEN MATCHED THEN DELETE
