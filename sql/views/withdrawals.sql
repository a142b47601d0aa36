-- parameters:

-- The last withdrawal of each purpose by each subject. A row received up to then no longer counts for that purpose.
CREATE OR REPLACE VIEW withdrawals AS
SELECT c.subject, w.purpose, max(c.given_at) AS withdrawn_at
FROM consents AS c
CROSS JOIN UNNEST(c.withdrawn) AS w (purpose)
GROUP BY c.subject, w.purpose
