-- parameters: feature_window_days, as_of, feature_window_days, history_days

-- What each profile may be used for now, and until when: `expires_at` is compared with the run's time at each use. A profile
-- is a person with all devices, or a device. For one purpose:
-- 1. A withdrawal that stands, by the person or by any device, closes it. An objection or an erasure closes all.
-- 2. A receipt that grants it and that nothing later has replaced opens it until it expires. An own choice is whole and
--    replaces all before it; a TC string replaces the earlier ones of its site (domain/receipt-chain.ts).
-- 3. Where no receipt has ever granted it, a server's word or a request's string counts: profile, personalisation and
--    activation are open while the last event carried them.
-- 4. Activation needs that in any case, because a browser that objects by itself (Global Privacy Control) leaves no receipt.
-- 5. Mail and its tracking need a receipt; mail a permission under UWG section 7, too.
MERGE INTO profile_purposes AS t
USING (
  WITH standing AS (
    SELECT s.profile_id, r.subject, r.granted, r.given_at, r.expires_at, r.email_permission
    FROM (
      SELECT c.subject, c.granted, c.given_at, c.expires_at, c.method, c.email_permission,
        max(CASE WHEN c.method <> 'tcf' THEN c.given_at END) OVER (PARTITION BY c.subject) AS own_at,
        row_number() OVER (
          PARTITION BY c.subject, CASE WHEN c.method = 'tcf' THEN 'string ' || c.site ELSE 'own' END
          ORDER BY c.given_at DESC, c.receipt_id DESC
        ) AS place
      FROM consents AS c
    ) AS r
    JOIN profile_subjects AS s ON s.subject = r.subject
    WHERE r.place = 1
      AND (r.method <> 'tcf' OR coalesce(r.given_at > r.own_at, true))
      AND s.profile_id NOT IN (SELECT o.profile_id FROM profile_subjects AS o WHERE o.has_objected)
      AND r.given_at > s.erased_at
  ),
  receipts AS (
    SELECT g.profile_id, g.subject, u.purpose, max(g.given_at) AS given_at, max(g.expires_at) AS expires_at
    FROM standing AS g
    CROSS JOIN UNNEST(g.granted) AS u (purpose)
    WHERE u.purpose <> 'email' OR g.email_permission IS NOT NULL
    GROUP BY g.profile_id, g.subject, u.purpose
  ),
  closed AS (
    SELECT DISTINCT s.profile_id, w.purpose
    FROM withdrawals AS w
    JOIN profile_subjects AS s ON s.subject = w.subject
    LEFT JOIN receipts AS r ON r.subject = w.subject AND r.purpose = w.purpose
    WHERE coalesce(w.withdrawn_at >= r.given_at, true)
  ),
  granted AS (
    SELECT profile_id, purpose, max(expires_at) AS expires_at FROM receipts GROUP BY profile_id, purpose
  ),
  seen AS (
    SELECT profile_id, max(last_received_at) AS last_received_at, max(unpersonalised_at) AS unpersonalised_at,
      max(unactivated_at) AS unactivated_at,
      max(day) >= CAST(date_add('day', -?, ?) AS date) AS is_recent
    FROM profile_history
    GROUP BY profile_id
  ),
  carried AS (
    SELECT s.profile_id, p.purpose,
      date_add('day', CASE WHEN p.purpose = 'activation' THEN ? ELSE ? END, s.last_received_at) AS expires_at
    FROM seen AS s
    CROSS JOIN (VALUES ('profile'), ('personalisation'), ('activation')) AS p (purpose)
    WHERE p.purpose = 'profile'
      OR (p.purpose = 'personalisation' AND coalesce(s.last_received_at > s.unpersonalised_at, true))
      OR (p.purpose = 'activation' AND s.is_recent AND coalesce(s.last_received_at > s.unactivated_at, true))
  ),
  opened AS (
    SELECT coalesce(g.profile_id, c.profile_id) AS profile_id, coalesce(g.purpose, c.purpose) AS purpose,
      CASE
        WHEN g.profile_id IS NULL THEN c.expires_at
        WHEN g.purpose IN ('profile', 'activation') THEN least(g.expires_at, c.expires_at)
        ELSE g.expires_at
      END AS expires_at
    FROM granted AS g
    FULL OUTER JOIN carried AS c ON c.profile_id = g.profile_id AND c.purpose = g.purpose
    WHERE c.profile_id IS NOT NULL OR g.purpose NOT IN ('profile', 'activation')
  ),
  wanted AS (
    SELECT o.profile_id, o.purpose, o.expires_at
    FROM opened AS o
    LEFT JOIN closed AS w ON w.profile_id = o.profile_id AND w.purpose = o.purpose
    WHERE w.profile_id IS NULL
  )
  SELECT w.profile_id IS NOT NULL AS is_wanted, coalesce(w.profile_id, h.profile_id) AS profile_id,
    coalesce(w.purpose, h.purpose) AS purpose, w.expires_at
  FROM wanted AS w
  FULL OUTER JOIN profile_purposes AS h ON h.profile_id = w.profile_id AND h.purpose = w.purpose
  WHERE w.profile_id IS NULL OR h.profile_id IS NULL OR w.expires_at <> h.expires_at
) AS s
ON t.profile_id = s.profile_id AND t.purpose = s.purpose
WHEN MATCHED AND NOT s.is_wanted THEN DELETE
WHEN MATCHED THEN UPDATE SET expires_at = s.expires_at
WHEN NOT MATCHED THEN INSERT (profile_id, purpose, expires_at) VALUES (s.profile_id, s.purpose, s.expires_at)
