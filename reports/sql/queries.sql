-- Table 2(b): distance queries that a receiver processes while its group forms, by its level. The mean is over seeds,
-- of each seed's mean over the receivers of the level.
WITH seeds AS (
  SELECT "group" AS variant, level, seed, avg(value) AS queries, count(*) AS receivers
  FROM read_parquet('events.parquet')
  WHERE stage = 'cluster' AND kind = 'queries'
  GROUP BY variant, level, seed
)
SELECT
  variant,
  level,
  count(*) AS seeds,
  avg(receivers) AS receivers,
  avg(queries) AS queries,
  min(queries) AS least,
  max(queries) AS most
FROM seeds
GROUP BY variant, level
ORDER BY variant, level;
