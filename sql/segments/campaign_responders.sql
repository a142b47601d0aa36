-- name.de: Reagiert auf Kampagnen
-- name.en: Campaign responders
-- description.de: Hat in den letzten 30 Tagen auf eine Anzeige geklickt.
-- description.en: Clicked an advert within the last 30 days.
-- purpose: profile
-- refresh: 1 hour
-- lifetime: 30 days
-- parameters: as_of, as_of

SELECT DISTINCT profile_id
FROM profile_history
WHERE day >= CAST(date_add('day', -31, ?) AS date)
  AND occurred_on >= CAST(date_add('day', -30, ?) AS date)
  AND event = 'Ad Clicked'
  AND campaign <> ''
