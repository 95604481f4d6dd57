-- Latency of each operation of the load by the second of its intended time, in ms. The rest as in operations.sql.
WITH operations AS (
  SELECT
    kind,
    status,
    start_ns // 1000000000 AS second,
    greatest(value, max(CASE WHEN status = 'ok' THEN value END) OVER (PARTITION BY kind)
      * CAST(status <> 'ok' AS INTEGER)) AS latency
  FROM read_parquet('events.parquet')
  WHERE stage = 'load' AND service_ns IS NOT NULL
)
SELECT
  kind AS operation,
  second,
  count(*) AS operations,
  sum(CAST(status <> 'ok' AS INTEGER)) AS failed,
  quantile_disc(latency, 0.5) / 1e6 AS p50_ms,
  quantile_disc(latency, 0.99) / 1e6 AS p99_ms,
  max(latency) / 1e6 AS max_ms
FROM operations
GROUP BY kind, second
ORDER BY kind, second;
