-- Latency of each operation of the load, in ms from its intended time, as the report has it: nearest rank, and an
-- operation that failed counts as at least as slow as the slowest that did not.
WITH operations AS (
  SELECT
    kind,
    status,
    greatest(value, max(CASE WHEN status = 'ok' THEN value END) OVER (PARTITION BY kind)
      * CAST(status <> 'ok' AS INTEGER)) AS latency
  FROM read_parquet('events.parquet')
  WHERE stage = 'load' AND service_ns IS NOT NULL
)
SELECT
  kind AS operation,
  count(*) AS operations,
  sum(CAST(status <> 'ok' AS INTEGER)) AS failed,
  quantile_disc(latency, 0.5) / 1e6 AS p50_ms,
  quantile_disc(latency, 0.9) / 1e6 AS p90_ms,
  quantile_disc(latency, 0.99) / 1e6 AS p99_ms,
  max(latency) / 1e6 AS max_ms
FROM operations
GROUP BY kind
ORDER BY kind;
