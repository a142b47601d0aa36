-- parameters: feature_window_days, as_of, value_window_days, as_of, as_of, as_of, as_of

-- One wide row for each profile, for segments and for people who look. Counts are those of the feature window; `first_` and
-- `last_` look back as far as `profile_history` does; `orders_year` and `order_value`, which is net of refunds and
-- cancellations, cover the value window. Amounts of two currencies are never added: the row has the one with the most
-- orders. `funnel_step`: 1 saw or clicked an advert, 2 a page, 3 a product, 4 filled the cart, 5 ordered. `top_`: what came
-- up most often in the feature window; ties go to the first by name, so that every engine answers the same.
MERGE INTO profile_features AS t
USING (
  WITH history AS (
    SELECT profile_id, event, occurred_on, product_id, category, campaign, placement, device_class, currency, events,
      times, value, last_at,
      occurred_on >= CAST(date_add('day', -?, ?) AS date) AS is_recent,
      occurred_on >= CAST(date_add('day', -?, ?) AS date) AS is_of_year
    FROM profile_history
  ),
  counted AS (
    SELECT profile_id, min(occurred_on) AS first_seen_on, max(occurred_on) AS last_seen_on, max(last_at) AS last_seen_at,
      count(DISTINCT CASE WHEN is_recent THEN occurred_on END) AS active_days,
      sum(CASE WHEN is_recent AND event = 'Ad Impression' THEN events ELSE 0 END) AS impressions,
      sum(CASE WHEN is_recent AND event = 'Ad Clicked' THEN events ELSE 0 END) AS clicks,
      sum(CASE WHEN is_recent AND event = 'Page Viewed' THEN events ELSE 0 END) AS page_views,
      sum(CASE WHEN is_recent AND event = 'Product Viewed' THEN events ELSE 0 END) AS product_views,
      sum(CASE WHEN is_recent AND event = 'Product Added' THEN events ELSE 0 END) AS adds,
      sum(CASE WHEN is_recent AND event = 'Order Completed' THEN events ELSE 0 END) AS orders,
      sum(CASE WHEN is_recent AND event = 'Email Opened' THEN events ELSE 0 END) AS mails_opened,
      sum(CASE WHEN is_recent AND event = 'Email Link Clicked' THEN events ELSE 0 END) AS mails_clicked,
      max(CASE WHEN event LIKE 'Email %' THEN last_at END) AS last_mail_at,
      min(CASE WHEN event = 'Order Completed' THEN occurred_on END) AS first_order_on,
      max(CASE WHEN event = 'Order Completed' THEN occurred_on END) AS last_order_on,
      max(CASE WHEN event = 'Order Completed' THEN last_at END) AS last_order_at,
      sum(CASE WHEN is_of_year AND event = 'Order Completed' THEN events ELSE 0 END) AS orders_year
    FROM history
    GROUP BY profile_id
  ),
  bought AS (
    SELECT profile_id, currency, value
    FROM (
      SELECT profile_id, currency, TRY_CAST(sum(value) AS decimal(18, 4)) AS value,
        row_number() OVER (
          PARTITION BY profile_id
          ORDER BY sum(CASE WHEN event = 'Order Completed' THEN events ELSE 0 END) DESC, currency
        ) AS place
      FROM history
      WHERE is_of_year AND currency <> '' AND event IN ('Order Completed', 'Order Refunded', 'Order Cancelled')
      GROUP BY profile_id, currency
    ) AS by_currency
    WHERE place = 1
  ),
  tops AS (
    SELECT profile_id,
      max(CASE WHEN attribute = 'product' THEN item END) AS top_product,
      max(CASE WHEN attribute = 'category' THEN item END) AS top_category,
      max(CASE WHEN attribute = 'campaign' THEN item END) AS top_campaign,
      max(CASE WHEN attribute = 'placement' THEN item END) AS top_placement,
      max(CASE WHEN attribute = 'device' THEN item END) AS top_device
    FROM (
      SELECT profile_id, attribute, item,
        row_number() OVER (PARTITION BY profile_id, attribute ORDER BY sum(times) DESC, item) AS place
      FROM (
        SELECT h.profile_id, h.times, a.attribute,
          CASE a.attribute
            WHEN 'product' THEN h.product_id
            WHEN 'category' THEN h.category
            WHEN 'campaign' THEN h.campaign
            WHEN 'placement' THEN h.placement
            ELSE h.device_class
          END AS item
        FROM history AS h
        CROSS JOIN (VALUES ('product'), ('category'), ('campaign'), ('placement'), ('device')) AS a (attribute)
        WHERE h.is_recent
      ) AS items
      WHERE item <> ''
      GROUP BY profile_id, attribute, item
    ) AS ranked
    WHERE place = 1
    GROUP BY profile_id
  ),
  wanted AS (
    SELECT c.profile_id, c.first_seen_on, c.last_seen_on, date_diff('day', c.last_seen_at, ?) AS days_since_seen,
      c.active_days, CAST(c.impressions AS bigint) AS impressions, CAST(c.clicks AS bigint) AS clicks,
      CAST(c.page_views AS bigint) AS page_views, CAST(c.product_views AS bigint) AS product_views,
      CAST(c.adds AS bigint) AS adds, CAST(c.orders AS bigint) AS orders,
      CAST(c.mails_opened AS bigint) AS mails_opened, CAST(c.mails_clicked AS bigint) AS mails_clicked,
      date_diff('day', c.last_mail_at, ?) AS days_since_mail,
      CAST(CASE
        WHEN c.orders > 0 THEN 5
        WHEN c.adds > 0 THEN 4
        WHEN c.product_views > 0 THEN 3
        WHEN c.page_views > 0 THEN 2
        WHEN c.impressions + c.clicks > 0 THEN 1
        ELSE 0
      END AS bigint) AS funnel_step,
      c.first_order_on, c.last_order_on, date_diff('day', c.last_order_at, ?) AS days_since_order,
      CAST(c.orders_year AS bigint) AS orders_year, b.value AS order_value, b.currency AS order_currency,
      o.top_product, o.top_category, o.top_campaign, o.top_placement, o.top_device
    FROM counted AS c
    LEFT JOIN bought AS b ON b.profile_id = c.profile_id
    LEFT JOIN tops AS o ON o.profile_id = c.profile_id
  )
  SELECT w.profile_id IS NOT NULL AS is_wanted, coalesce(w.profile_id, h.profile_id) AS profile_id,
    w.first_seen_on, w.last_seen_on, w.days_since_seen, w.active_days, w.impressions, w.clicks, w.page_views,
    w.product_views, w.adds, w.orders, w.mails_opened, w.mails_clicked, w.days_since_mail, w.funnel_step,
    w.first_order_on, w.last_order_on, w.days_since_order, w.orders_year, w.order_value, w.order_currency,
    w.top_product, w.top_category, w.top_campaign, w.top_placement, w.top_device
  FROM wanted AS w
  FULL OUTER JOIN profile_features AS h ON h.profile_id = w.profile_id
  WHERE w.profile_id IS NULL OR h.profile_id IS NULL
    OR w.first_seen_on IS DISTINCT FROM h.first_seen_on OR w.last_seen_on IS DISTINCT FROM h.last_seen_on
    OR w.days_since_seen IS DISTINCT FROM h.days_since_seen OR w.active_days IS DISTINCT FROM h.active_days
    OR w.impressions IS DISTINCT FROM h.impressions OR w.clicks IS DISTINCT FROM h.clicks
    OR w.page_views IS DISTINCT FROM h.page_views OR w.product_views IS DISTINCT FROM h.product_views
    OR w.adds IS DISTINCT FROM h.adds OR w.orders IS DISTINCT FROM h.orders
    OR w.mails_opened IS DISTINCT FROM h.mails_opened OR w.mails_clicked IS DISTINCT FROM h.mails_clicked
    OR w.days_since_mail IS DISTINCT FROM h.days_since_mail OR w.funnel_step IS DISTINCT FROM h.funnel_step
    OR w.first_order_on IS DISTINCT FROM h.first_order_on OR w.last_order_on IS DISTINCT FROM h.last_order_on
    OR w.days_since_order IS DISTINCT FROM h.days_since_order OR w.orders_year IS DISTINCT FROM h.orders_year
    OR w.order_value IS DISTINCT FROM h.order_value OR w.order_currency IS DISTINCT FROM h.order_currency
    OR w.top_product IS DISTINCT FROM h.top_product OR w.top_category IS DISTINCT FROM h.top_category
    OR w.top_campaign IS DISTINCT FROM h.top_campaign OR w.top_placement IS DISTINCT FROM h.top_placement
    OR w.top_device IS DISTINCT FROM h.top_device
) AS s
ON t.profile_id = s.profile_id
WHEN MATCHED AND NOT s.is_wanted THEN DELETE
WHEN MATCHED THEN UPDATE SET first_seen_on = s.first_seen_on, last_seen_on = s.last_seen_on,
  days_since_seen = s.days_since_seen, active_days = s.active_days, impressions = s.impressions, clicks = s.clicks,
  page_views = s.page_views, product_views = s.product_views, adds = s.adds, orders = s.orders,
  mails_opened = s.mails_opened, mails_clicked = s.mails_clicked, days_since_mail = s.days_since_mail,
  funnel_step = s.funnel_step, first_order_on = s.first_order_on, last_order_on = s.last_order_on,
  days_since_order = s.days_since_order, orders_year = s.orders_year, order_value = s.order_value,
  order_currency = s.order_currency, top_product = s.top_product, top_category = s.top_category,
  top_campaign = s.top_campaign, top_placement = s.top_placement, top_device = s.top_device
WHEN NOT MATCHED THEN
  INSERT (profile_id, first_seen_on, last_seen_on, days_since_seen, active_days, impressions, clicks, page_views,
    product_views, adds, orders, mails_opened, mails_clicked, days_since_mail, funnel_step, first_order_on,
    last_order_on, days_since_order, orders_year, order_value, order_currency, top_product, top_category, top_campaign,
    top_placement, top_device)
  VALUES (s.profile_id, s.first_seen_on, s.last_seen_on, s.days_since_seen, s.active_days, s.impressions, s.clicks,
    s.page_views, s.product_views, s.adds, s.orders, s.mails_opened, s.mails_clicked, s.days_since_mail, s.funnel_step,
    s.first_order_on, s.last_order_on, s.days_since_order, s.orders_year, s.order_value, s.order_currency,
    s.top_product, s.top_category, s.top_campaign, s.top_placement, s.top_device)
