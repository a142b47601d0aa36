-- name.de: Hat eine Kampagne oft genug gesehen
-- name.en: Frequency-capped
-- description.de: Hat eine Kampagne in den letzten sieben Tagen zehn Mal oder öfter gesehen.
-- description.en: Saw one campaign ten times or more within the last seven days.
-- purpose: profile
-- refresh: every run
-- lifetime: 7 days
-- parameters: as_of, as_of

SELECT DISTINCT profile_id
FROM profile_history
WHERE day >= CAST(date_add('day', -8, ?) AS date)
  AND occurred_on >= CAST(date_add('day', -7, ?) AS date)
  AND event = 'Ad Impression'
  AND campaign <> ''
GROUP BY profile_id, campaign
HAVING sum(events) >= 10
