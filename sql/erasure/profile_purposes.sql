-- parameters:

-- Made anew from history and receipts at every run of the plan, so those of a new life come back by themselves.
MERGE INTO profile_purposes AS t
USING (
  SELECT f.profile_id, f.purpose
  FROM profile_purposes AS f
  CROSS JOIN (SELECT coalesce(max(salt), '') AS salt FROM erasures) AS x
  WHERE lower(to_hex(sha256(to_utf8(x.salt || f.profile_id)))) IN (SELECT tombstone FROM erasures)
) AS s
ON t.profile_id = s.profile_id AND t.purpose = s.purpose
WHEN MATCHED THEN DELETE
