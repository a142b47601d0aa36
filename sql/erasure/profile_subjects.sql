-- parameters:

-- Made anew from history, links and receipts at every run of the plan, so those of a new life come back by themselves.
MERGE INTO profile_subjects AS t
USING (
  SELECT f.subject
  FROM profile_subjects AS f
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  WHERE lower(to_hex(sha256(to_utf8(x.salt || f.subject)))) IN (SELECT tombstone FROM erasures)
) AS s
ON t.subject = s.subject
WHEN MATCHED THEN DELETE
