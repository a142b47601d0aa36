-- parameters:

-- Rows that ingest would not take in any more: the purpose that the row stands on has been withdrawn since it was received.
MERGE INTO events AS t
USING (
  SELECT e.event_id, e.received_day
  FROM events AS e
  LEFT JOIN (
    SELECT subject, max(withdrawn_at) AS withdrawn_at FROM withdrawals
    WHERE purpose IN ('storage', 'measurement') GROUP BY subject
  ) AS dw ON dw.subject = e.device_id
  LEFT JOIN (
    SELECT subject, max(withdrawn_at) AS withdrawn_at FROM withdrawals WHERE purpose = 'measurement' GROUP BY subject
  ) AS pw ON pw.subject = e.person_id
  WHERE e.received_at <= dw.withdrawn_at OR e.received_at <= pw.withdrawn_at
) AS s
ON t.event_id = s.event_id AND t.received_day = s.received_day
WHEN MATCHED THEN DELETE
