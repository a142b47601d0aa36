-- name.de: Wiederholungskäufer
-- name.en: Repeat buyers
-- description.de: Hat im letzten Jahr zwei Mal oder öfter bestellt.
-- description.en: Ordered twice or more within the last year.
-- purpose: profile
-- refresh: 1 hour
-- lifetime: 30 days

SELECT profile_id
FROM profile_features
WHERE orders_year >= 2
