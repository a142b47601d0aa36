-- name.de: Liest unsere Mails
-- name.en: Mail-engaged
-- description.de: Hat in den letzten 30 Tagen in einer Mail geklickt oder drei Mails geöffnet.
-- description.en: Clicked in a mail, or opened three mails, within the last 30 days.
-- purpose: email_tracking
-- refresh: 1 hour
-- lifetime: 30 days
-- parameters: as_of, as_of

-- `profile_history` has mail events of those alone who have allowed that they are counted.
SELECT profile_id
FROM profile_history
WHERE day >= CAST(date_add('day', -31, ?) AS date)
  AND occurred_on >= CAST(date_add('day', -30, ?) AS date)
  AND event IN ('Email Opened', 'Email Link Clicked')
GROUP BY profile_id
HAVING sum(CASE WHEN event = 'Email Link Clicked' THEN events ELSE 0 END) >= 1
  OR sum(CASE WHEN event = 'Email Opened' THEN events ELSE 0 END) >= 3
