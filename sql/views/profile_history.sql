-- parameters:

-- `profile_days` by the profile that it belongs to now, and without what may not be used any more: what a device or its
-- person has withdrawn, objected to or asked to be erased, as `profile_subjects` says. A row that has begun before a
-- withdrawal goes whole; only where a device is linked to a person who had withdrawn before does that take out more than it
-- must, by a day at most.
CREATE OR REPLACE VIEW profile_history AS
SELECT s.profile_id, d.subject, d.day, d.occurred_on, d.event, d.product_id, d.category, d.campaign, d.placement,
  d.device_class, d.currency, d.events, d.times, d.value, d.first_at, d.last_at, d.first_received_at, d.last_received_at,
  d.unpersonalised_at, d.unactivated_at
FROM profile_days AS d
JOIN profile_subjects AS s ON s.subject = d.subject
WHERE NOT s.has_objected
  AND d.first_received_at >= s.counts_from
  AND least(d.first_at, d.first_received_at) > s.erased_at
  AND (d.event NOT LIKE 'Email %' OR d.first_received_at >= s.mail_counts_from)
