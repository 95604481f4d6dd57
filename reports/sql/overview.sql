-- What a run recorded: samples by stage and kind.
SELECT
  stage,
  kind,
  count(*) AS samples,
  count(DISTINCT seed) AS seeds,
  count(DISTINCT "group") AS variants
FROM read_parquet('events.parquet')
GROUP BY stage, kind
ORDER BY stage, kind;
