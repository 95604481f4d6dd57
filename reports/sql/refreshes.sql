-- Figure 12: refreshes of a trigger in a time T, by variant and size of the group: their mean over the triggers of a
-- tree and the largest of them, each as mean over seeds.
SELECT
  "group" AS variant,
  n AS receivers,
  count(DISTINCT seed) AS seeds,
  avg(CASE WHEN kind = 'refresh-mean' THEN value END) AS mean,
  avg(CASE WHEN kind = 'refresh-max' THEN value END) AS largest
FROM read_parquet('events.parquet')
WHERE stage = 'refresh' AND kind IN ('refresh-mean', 'refresh-max')
GROUP BY variant, receivers
ORDER BY variant, receivers;
