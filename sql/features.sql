-- parameters: feature_window_days, as_of, feature_window_days, as_of, as_of, as_of, as_of

-- What a profile is known by, one row per feature that it has; what a lookalike model learns from. Made of `profile_history`
-- and never of `events`. Every feature is made of one event alone and names it first, so that the events that define a
-- lookalike's seed can be left out by a filter:
--
--   family                                    feature                              is there where, in the window, the event
--   count                                     Order Completed:1, :2-3, :4+         came so often
--   days_since                                Order Completed:0-1, :2-7, :8-30, :31+  came last so many days ago
--   value                                     Order Completed:EUR 25-99            added up to so much, by currency
--   product, category, campaign,              Product Viewed:p1                    came with it
--   placement, device
--   product_often, category_often, ...        Product Viewed:p1                    came with it three times
--
-- product and category of an order are those of its lines. Within one event, `product` and `category` are made of the rows
-- with that product or category; the other families add up over all of them. Counts are binned, because a feature is there
-- or is not. Only differences are written: a feature that comes, and one that has gone.
MERGE INTO features AS t
USING (
  WITH recent AS (
    SELECT h.profile_id, h.event, a.attribute,
      CASE a.attribute
        WHEN 'event' THEN 'event'
        WHEN 'product' THEN h.product_id
        WHEN 'category' THEN h.category
        WHEN 'campaign' THEN h.campaign
        WHEN 'placement' THEN h.placement
        WHEN 'device' THEN h.device_class
        ELSE h.currency
      END AS item,
      sum(h.events) AS events, sum(h.times) AS times, sum(h.value) AS value, max(h.last_at) AS last_at
    FROM profile_history AS h
    CROSS JOIN (
      VALUES ('event'), ('product'), ('category'), ('campaign'), ('placement'), ('device'), ('currency')
    ) AS a (attribute)
    WHERE h.day >= CAST(date_add('day', -?, ?) AS date) AND h.occurred_on >= CAST(date_add('day', -?, ?) AS date)
    GROUP BY 1, 2, 3, 4
  ),
  wanted AS (
    SELECT r.profile_id,
      CASE k.kind
        WHEN 'same' THEN r.attribute
        WHEN 'often' THEN r.attribute || '_often'
        ELSE k.kind
      END AS family,
      r.event || ':' || CASE k.kind
        WHEN 'count' THEN CASE WHEN r.events = 1 THEN '1' WHEN r.events <= 3 THEN '2-3' ELSE '4+' END
        WHEN 'days_since' THEN CASE
          WHEN date_diff('day', r.last_at, ?) <= 1 THEN '0-1'
          WHEN date_diff('day', r.last_at, ?) <= 7 THEN '2-7'
          WHEN date_diff('day', r.last_at, ?) <= 30 THEN '8-30'
          ELSE '31+' END
        WHEN 'value' THEN r.item || CASE
          WHEN r.value < 25 THEN ' 0-24'
          WHEN r.value < 100 THEN ' 25-99'
          WHEN r.value < 500 THEN ' 100-499'
          ELSE ' 500+' END
        ELSE r.item
      END AS feature
    FROM recent AS r
    JOIN (
      VALUES ('count', 'event'), ('days_since', 'event'), ('value', 'currency'), ('same', 'product'), ('same', 'category'),
        ('same', 'campaign'), ('same', 'placement'), ('same', 'device'), ('often', 'product'), ('often', 'category'),
        ('often', 'campaign'), ('often', 'placement'), ('often', 'device')
    ) AS k (kind, attribute) ON k.attribute = r.attribute
    WHERE r.item <> '' AND (k.kind <> 'often' OR r.times >= 3) AND (k.kind <> 'value' OR r.value > 0)
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
