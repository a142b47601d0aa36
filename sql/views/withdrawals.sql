-- parameters:

-- The last withdrawal of each purpose by each subject, and from when on rows count for it again: from the first later
-- receipt that grants it, else never. A row that came in before that no longer counts, and one that came in between neither:
-- a browser may still show the cookie of before.
CREATE OR REPLACE VIEW withdrawals AS
SELECT w.subject, w.purpose, w.withdrawn_at,
  coalesce(min(g.given_at), TIMESTAMP '9999-12-31 00:00:00.000') AS counts_from
FROM (
  SELECT c.subject, p.purpose, max(c.given_at) AS withdrawn_at
  FROM consents AS c
  CROSS JOIN UNNEST(c.withdrawn) AS p (purpose)
  GROUP BY c.subject, p.purpose
) AS w
LEFT JOIN (
  SELECT c.subject, p.purpose, c.given_at
  FROM consents AS c
  CROSS JOIN UNNEST(c.granted) AS p (purpose)
) AS g ON g.subject = w.subject AND g.purpose = w.purpose AND g.given_at > w.withdrawn_at
GROUP BY w.subject, w.purpose, w.withdrawn_at
