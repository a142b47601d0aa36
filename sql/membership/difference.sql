-- parameters: segment_id, feature_window_days, as_of, segment_id, segment_id

-- What has changed since the last difference that was published. `activation` says whether the profile's last event was
-- sent under that purpose and no withdrawal has followed: only then does an entry leave the house. Of several events of
-- the last millisecond, as of one request, all have to be.
SELECT m.profile_id, m.left_at IS NULL AS entered, coalesce(a.activation, false) AS activation
FROM segment_members AS m
LEFT JOIN (
  SELECT p.profile_id,
    coalesce(max(p.received_at) > max(p.received_at) FILTER (WHERE NOT contains(p.purposes, 'activation')), true)
      AND coalesce(max(p.received_at) > max(dw.withdrawn_at), true)
      AND coalesce(max(p.received_at) > max(pw.withdrawn_at), true) AS activation
  FROM profile_events AS p
  LEFT JOIN (SELECT subject, withdrawn_at FROM withdrawals WHERE purpose = 'activation') AS dw
    ON dw.subject = p.device_id
  LEFT JOIN (SELECT subject, withdrawn_at FROM withdrawals WHERE purpose = 'activation') AS pw
    ON pw.subject = p.profile_id
  WHERE p.profile_id IN (SELECT c.profile_id FROM segment_members AS c WHERE c.segment_id = ? AND c.left_at IS NULL)
    AND p.received_day >= CAST(date_add('day', -?, ?) AS date)
  GROUP BY p.profile_id
) AS a ON a.profile_id = m.profile_id
WHERE m.segment_id = ?
  AND coalesce(m.left_at, m.entered_at) > (
    SELECT coalesce(max(h.as_of), TIMESTAMP '1970-01-01 00:00:00.000') FROM audience_history AS h WHERE h.segment_id = ?
  )
