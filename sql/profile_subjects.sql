-- parameters:

-- Every device and person that history or a receipt names, with the profile that it belongs to now, and from when on what
-- was received of it counts: the last of its own withdrawals and its person's. So links, withdrawals, objections and erasures
-- reach features and segments at the next run, and no event has to be read again. Where nothing was withdrawn or erased, the
-- epoch stands.
MERGE INTO profile_subjects AS t
USING (
  WITH withdrawn AS (
    SELECT subject,
      max(CASE WHEN purpose = 'storage' THEN counts_from END) AS storage_from,
      max(CASE WHEN purpose = 'profile' THEN counts_from END) AS profile_from,
      max(CASE WHEN purpose = 'email_tracking' THEN counts_from END) AS mail_from
    FROM withdrawals
    GROUP BY subject
  ),
  linked AS (
    SELECT s.subject, s.is_person, l.person_id, coalesce(l.person_id, s.subject) AS profile_id,
      lower(to_hex(sha256(to_utf8(x.salt || s.subject)))) AS asked_hash,
      lower(to_hex(sha256(to_utf8(x.salt || l.person_id)))) AS asked_person_hash,
      lower(to_hex(sha256(to_utf8(y.salt || s.subject)))) AS erased_hash,
      lower(to_hex(sha256(to_utf8(y.salt || l.person_id)))) AS erased_person_hash
    FROM (
      SELECT subject, max(is_person) AS is_person
      FROM (
        SELECT subject, CASE WHEN is_person THEN 1 ELSE 0 END AS is_person FROM profile_days
        UNION ALL
        -- Of a person's own receipts none is about a device's storage.
        SELECT subject, CASE WHEN substr(subject, 1, 2) = 'p.' THEN 1 ELSE 0 END AS is_person FROM consents
        WHERE substr(subject, 1, 2) <> 't.'
      ) AS named
      GROUP BY subject
    ) AS s
    LEFT JOIN live_links AS l ON l.device_id = s.subject
    CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM rights) AS x
    CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS y
  ),
  wanted AS (
    SELECT l.subject, l.profile_id, coalesce(oo.subject_hash, po.subject_hash) IS NOT NULL AS has_objected,
      greatest(
        CASE WHEN l.is_person = 1 THEN TIMESTAMP '1970-01-01 00:00:00.000'
          ELSE coalesce(w.storage_from, TIMESTAMP '1970-01-01 00:00:00.000') END,
        greatest(
          coalesce(w.profile_from, TIMESTAMP '1970-01-01 00:00:00.000'),
          coalesce(p.profile_from, TIMESTAMP '1970-01-01 00:00:00.000')
        )
      ) AS counts_from,
      greatest(
        coalesce(w.mail_from, TIMESTAMP '1970-01-01 00:00:00.000'),
        coalesce(p.mail_from, TIMESTAMP '1970-01-01 00:00:00.000')
      ) AS mail_counts_from,
      greatest(
        coalesce(oe.erased_at, TIMESTAMP '1970-01-01 00:00:00.000'),
        coalesce(pe.erased_at, TIMESTAMP '1970-01-01 00:00:00.000')
      ) AS erased_at
    FROM linked AS l
    LEFT JOIN withdrawn AS w ON w.subject = l.subject
    LEFT JOIN withdrawn AS p ON p.subject = l.person_id
    LEFT JOIN (SELECT DISTINCT subject_hash FROM rights WHERE request_kind = 'objection') AS oo
      ON oo.subject_hash = l.asked_hash
    LEFT JOIN (SELECT DISTINCT subject_hash FROM rights WHERE request_kind = 'objection') AS po
      ON po.subject_hash = l.asked_person_hash
    LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS oe
      ON oe.tombstone = l.erased_hash
    LEFT JOIN (SELECT tombstone, max(erased_at) AS erased_at FROM erasures GROUP BY tombstone) AS pe
      ON pe.tombstone = l.erased_person_hash
  )
  SELECT w.subject IS NOT NULL AS is_wanted, coalesce(w.subject, h.subject) AS subject, w.profile_id, w.has_objected,
    w.counts_from, w.mail_counts_from, w.erased_at
  FROM wanted AS w
  FULL OUTER JOIN profile_subjects AS h ON h.subject = w.subject
  WHERE w.subject IS NULL OR h.subject IS NULL OR w.profile_id <> h.profile_id OR w.has_objected <> h.has_objected
    OR w.counts_from <> h.counts_from OR w.mail_counts_from <> h.mail_counts_from OR w.erased_at <> h.erased_at
) AS s
ON t.subject = s.subject
WHEN MATCHED AND NOT s.is_wanted THEN DELETE
WHEN MATCHED THEN UPDATE SET profile_id = s.profile_id, has_objected = s.has_objected, counts_from = s.counts_from,
  mail_counts_from = s.mail_counts_from, erased_at = s.erased_at
WHEN NOT MATCHED THEN INSERT (subject, profile_id, has_objected, counts_from, mail_counts_from, erased_at)
  VALUES (s.subject, s.profile_id, s.has_objected, s.counts_from, s.mail_counts_from, s.erased_at)
