-- parameters: feature_window_days, as_of, as_of

-- What a profile is known by, one row per feature that it has; what a lookalike model learns from. Counts are binned,
-- because a feature is there or is not. Only differences are written: a feature that comes, and one that has gone.
MERGE INTO features AS t
USING (
  WITH recent AS (
    SELECT profile_id, event, product_id, category, campaign, device_class
    FROM profile_events
    WHERE received_day >= CAST(date_add('day', -?, ?) AS date) AND occurred_at <= ?
  ),
  wanted AS (
    SELECT profile_id, 'event' AS family,
      event || CASE WHEN count(*) = 1 THEN ':1' WHEN count(*) <= 3 THEN ':2-3' ELSE ':4+' END AS feature
    FROM recent GROUP BY profile_id, event
    UNION ALL
    SELECT DISTINCT profile_id, 'product' AS family, product_id AS feature FROM recent WHERE product_id IS NOT NULL
    UNION ALL
    SELECT DISTINCT profile_id, 'category' AS family, category AS feature FROM recent WHERE category IS NOT NULL
    UNION ALL
    SELECT DISTINCT profile_id, 'campaign' AS family, campaign AS feature FROM recent WHERE campaign IS NOT NULL
    UNION ALL
    SELECT DISTINCT profile_id, 'device_class' AS family, device_class AS feature
    FROM recent WHERE device_class IS NOT NULL
  )
  SELECT coalesce(w.profile_id, h.profile_id) AS profile_id, coalesce(w.family, h.family) AS family,
    coalesce(w.feature, h.feature) AS feature
  FROM wanted AS w
  FULL OUTER JOIN features AS h
    ON h.profile_id = w.profile_id AND h.family = w.family AND h.feature = w.feature
  WHERE w.profile_id IS NULL OR h.profile_id IS NULL
) AS s
ON t.profile_id = s.profile_id AND t.family = s.family AND t.feature = s.feature
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED THEN
  INSERT (profile_id, family, feature) VALUES (s.profile_id, s.family, s.feature)
