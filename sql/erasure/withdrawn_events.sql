-- parameters:

-- What a withdrawal leaves of the rows from before it: what door and land would have kept of them under the purposes that
-- still live. A row stands on measurement, and on a device's storage: without them it goes. Of the others goes what no live
-- purpose covers, by the tracking plan. A row that has been cut names no withdrawn purpose any more, so a second run finds
-- nothing.
MERGE INTO events AS t
USING (
  SELECT k.event_id, k.received_day, k.is_open, k.live_purposes,
    CASE WHEN cardinality(k.kept_names) > 0 THEN map(k.kept_names, k.kept_values) END AS kept_properties /* , kept columns */
  FROM (
    SELECT r.*,
      (r.person_id IS NOT NULL OR r.live_storage) AND r.live_measurement AS is_open,
      CASE WHEN r.live_storage THEN ARRAY['storage'] ELSE ARRAY[] END
        || CASE WHEN r.live_measurement THEN ARRAY['measurement'] ELSE ARRAY[] END
        || CASE WHEN r.live_profile THEN ARRAY['profile'] ELSE ARRAY[] END
        || CASE WHEN r.live_personalisation THEN ARRAY['personalisation'] ELSE ARRAY[] END
        || CASE WHEN r.live_activation THEN ARRAY['activation'] ELSE ARRAY[] END
        || CASE WHEN r.live_identity_merge THEN ARRAY['identity_merge'] ELSE ARRAY[] END
        || CASE WHEN r.live_email THEN ARRAY['email'] ELSE ARRAY[] END
        || CASE WHEN r.live_email_tracking THEN ARRAY['email_tracking'] ELSE ARRAY[] END AS live_purposes,
      ARRAY['kept names'] AS kept_names,
      ARRAY['kept values'] AS kept_values
    FROM (
      SELECT e.*,
        contains(e.purposes, 'storage') AND coalesce(e.received_at >= w.storage, true) AS live_storage,
        contains(e.purposes, 'measurement') AND coalesce(e.received_at >= w.measurement, true) AS live_measurement,
        contains(e.purposes, 'profile') AND coalesce(e.received_at >= w.profile, true) AS live_profile,
        contains(e.purposes, 'personalisation')
          AND coalesce(e.received_at >= w.personalisation, true) AS live_personalisation,
        contains(e.purposes, 'activation') AND coalesce(e.received_at >= w.activation, true) AS live_activation,
        contains(e.purposes, 'identity_merge')
          AND coalesce(e.received_at >= w.identity_merge, true) AS live_identity_merge,
        contains(e.purposes, 'email') AND coalesce(e.received_at >= w.email, true) AS live_email,
        contains(e.purposes, 'email_tracking')
          AND coalesce(e.received_at >= w.email_tracking, true) AS live_email_tracking
      FROM events AS e
      JOIN (
        SELECT subject,
          max(counts_from) FILTER (WHERE purpose = 'storage') AS storage,
          max(counts_from) FILTER (WHERE purpose = 'measurement') AS measurement,
          max(counts_from) FILTER (WHERE purpose = 'profile') AS profile,
          max(counts_from) FILTER (WHERE purpose = 'personalisation') AS personalisation,
          max(counts_from) FILTER (WHERE purpose = 'activation') AS activation,
          max(counts_from) FILTER (WHERE purpose = 'identity_merge') AS identity_merge,
          max(counts_from) FILTER (WHERE purpose = 'email') AS email,
          max(counts_from) FILTER (WHERE purpose = 'email_tracking') AS email_tracking
        FROM withdrawals
        GROUP BY subject
      ) AS w ON w.subject = coalesce(e.person_id, e.device_id)
    ) AS r
  ) AS k
  WHERE cardinality(k.live_purposes) < cardinality(k.purposes)
) AS s
ON t.event_id = s.event_id AND t.received_day = s.received_day
WHEN MATCHED AND NOT s.is_open THEN DELETE
WHEN MATCHED THEN UPDATE SET purposes = s.live_purposes, properties = s.kept_properties /* , cut columns */
