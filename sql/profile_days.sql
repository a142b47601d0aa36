-- parameters: events_since, as_of, events_since, as_of, events_since, events_since

-- What each subject did on a day of receipt, added up: what features, and segments that look back far, are made of. Only
-- the days since `events_since` are read and written: those of which ingest may still learn something. `subject` is the
-- event's own person or device; who that belongs to, and what has been withdrawn or objected to since, is for
-- `profile_history` to say at each use. Withdrawals by the subject itself are heeded here, to the millisecond: no later run
-- could tell what came before one on the same day. They reach the lake while the day is still read.
-- `events` counts events, `times` how often the row's product or category came up: an order has one row without a product
-- that counts it, and a row for each product of its lines that counts none. Empty texts stand for NULL, so that all
-- columns that a row is known by can be compared. A sum that is no amount any more counts as none: one sender must not be
-- able to stop the plan.
MERGE INTO profile_days AS t
USING (
  WITH judged AS (
    SELECT e.event, e.occurred_at, e.received_at, e.received_day, e.purposes, e.events, e.product_id, e.category,
      e.campaign, e.placement, e.device_class, e.currency, e.value,
      e.person_id IS NOT NULL AS is_person, coalesce(e.person_id, e.device_id) AS subject
    FROM (
      SELECT event, occurred_at, received_at, received_day, device_id, person_id, is_bot, purposes, basis, 1 AS events,
        CASE WHEN event IN ('Order Completed', 'Order Refunded', 'Order Cancelled') THEN NULL ELSE product_id
        END AS product_id,
        CASE WHEN event IN ('Order Completed', 'Order Refunded', 'Order Cancelled') THEN NULL ELSE category
        END AS category,
        campaign, placement, device_class, currency, value
      FROM events
      WHERE received_day >= ? AND occurred_at <= ?
      UNION ALL
      SELECT event, occurred_at, received_at, received_day, device_id, person_id, is_bot, purposes, basis, 0 AS events,
        product_id, category, NULL AS campaign, NULL AS placement, NULL AS device_class, NULL AS currency, NULL AS value
      FROM order_lines
      WHERE received_day >= ? AND occurred_at <= ? AND coalesce(product_id, category) IS NOT NULL
    ) AS e
    LEFT JOIN (
      SELECT subject,
        max(CASE WHEN purpose = 'storage' THEN counts_from END) AS storage_from,
        max(CASE WHEN purpose = 'profile' THEN counts_from END) AS profile_from,
        max(CASE WHEN purpose = 'email_tracking' THEN counts_from END) AS mail_from
      FROM withdrawals
      GROUP BY subject
    ) AS w ON w.subject = coalesce(e.person_id, e.device_id)
    WHERE e.basis <> 'anonymous'
      AND coalesce(e.person_id, e.device_id) IS NOT NULL
      AND NOT coalesce(e.is_bot, false)
      AND contains(e.purposes, 'profile')
      AND (e.person_id IS NOT NULL OR coalesce(e.received_at >= w.storage_from, true))
      AND coalesce(e.received_at >= w.profile_from, true)
      -- Whether a mail was opened is read on the reader's device: it has a consent of its own (TDDDG section 25).
      AND (e.event NOT LIKE 'Email %'
        OR (contains(e.purposes, 'email_tracking') AND coalesce(e.received_at >= w.mail_from, true)))
  ),
  cells AS (
    SELECT received_day AS day, subject, is_person, event, CAST(occurred_at AS date) AS occurred_on,
      coalesce(product_id, '') AS product_id, coalesce(category, '') AS category, coalesce(campaign, '') AS campaign,
      coalesce(placement, '') AS placement, coalesce(device_class, '') AS device_class,
      coalesce(currency, '') AS currency,
      CAST(sum(events) AS bigint) AS events, count(*) AS times, coalesce(TRY_CAST(sum(value) AS decimal(18, 4)), 0) AS value,
      min(occurred_at) AS first_at, max(occurred_at) AS last_at,
      min(received_at) AS first_received_at, max(received_at) AS last_received_at,
      max(CASE WHEN NOT contains(purposes, 'personalisation') THEN received_at END) AS unpersonalised_at,
      max(CASE WHEN NOT contains(purposes, 'activation') THEN received_at END) AS unactivated_at
    FROM judged
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
  )
  SELECT w.subject IS NOT NULL AS is_wanted,
    coalesce(w.day, h.day) AS day, coalesce(w.subject, h.subject) AS subject,
    coalesce(w.is_person, h.is_person) AS is_person, coalesce(w.event, h.event) AS event,
    coalesce(w.occurred_on, h.occurred_on) AS occurred_on, coalesce(w.product_id, h.product_id) AS product_id,
    coalesce(w.category, h.category) AS category, coalesce(w.campaign, h.campaign) AS campaign,
    coalesce(w.placement, h.placement) AS placement, coalesce(w.device_class, h.device_class) AS device_class,
    coalesce(w.currency, h.currency) AS currency, w.events, w.times, w.value, w.first_at, w.last_at,
    w.first_received_at, w.last_received_at, w.unpersonalised_at, w.unactivated_at
  FROM cells AS w
  FULL OUTER JOIN (SELECT * FROM profile_days WHERE day >= ?) AS h
    ON h.day = w.day AND h.subject = w.subject AND h.event = w.event AND h.occurred_on = w.occurred_on
      AND h.product_id = w.product_id AND h.category = w.category AND h.campaign = w.campaign
      AND h.placement = w.placement AND h.device_class = w.device_class AND h.currency = w.currency
  WHERE w.subject IS NULL OR h.subject IS NULL
    OR w.events <> h.events OR w.times <> h.times OR w.value <> h.value
    OR w.first_at <> h.first_at OR w.last_at <> h.last_at
    OR w.first_received_at <> h.first_received_at OR w.last_received_at <> h.last_received_at
    OR w.unpersonalised_at IS DISTINCT FROM h.unpersonalised_at OR w.unactivated_at IS DISTINCT FROM h.unactivated_at
) AS s
ON t.day >= ? AND t.day = s.day AND t.subject = s.subject AND t.event = s.event AND t.occurred_on = s.occurred_on AND t.product_id = s.product_id AND t.category = s.category AND t.campaign = s.campaign AND t.placement = s.placement AND t.device_class = s.device_class AND t.currency = s.currency
WHEN MATCHED AND NOT s.is_wanted THEN DELETE
WHEN MATCHED THEN UPDATE SET events = s.events, times = s.times, value = s.value, first_at = s.first_at,
  last_at = s.last_at, first_received_at = s.first_received_at, last_received_at = s.last_received_at,
  unpersonalised_at = s.unpersonalised_at, unactivated_at = s.unactivated_at
WHEN NOT MATCHED THEN
  INSERT (day, subject, is_person, event, occurred_on, product_id, category, campaign, placement, device_class, currency,
    events, times, value, first_at, last_at, first_received_at, last_received_at, unpersonalised_at, unactivated_at)
  VALUES (s.day, s.subject, s.is_person, s.event, s.occurred_on, s.product_id, s.category, s.campaign, s.placement,
    s.device_class, s.currency, s.events, s.times, s.value, s.first_at, s.last_at, s.first_received_at,
    s.last_received_at, s.unpersonalised_at, s.unactivated_at)
