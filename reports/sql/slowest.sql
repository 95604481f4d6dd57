-- The twenty slowest operations of the load, and how much of their latency was waiting for the generator.
SELECT
  kind AS operation,
  status,
  start_ns / 1e9 AS start_s,
  value / 1e6 AS latency_ms,
  service_ns / 1e6 AS service_ms,
  (value - service_ns) / 1e6 AS waited_ms
FROM read_parquet('events.parquet')
WHERE stage = 'load' AND service_ns IS NOT NULL
ORDER BY value DESC, start_ns, kind
LIMIT 20;
