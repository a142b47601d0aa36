-- parameters: request_ids, request_ids

-- How many subjects of each request have reached the lake: the job finishes a request when all of them have.
SELECT request_id, count(*) AS subjects FROM erasures WHERE request_id IN (?) GROUP BY request_id
UNION ALL
SELECT request_id, count(*) AS subjects FROM rights WHERE request_kind = 'access' AND request_id IN (?) GROUP BY request_id
