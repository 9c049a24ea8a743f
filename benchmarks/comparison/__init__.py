"""What `benchmarks.compare` is made of: the workloads, when a run counts, tables and a chart."""
