// The two ends that the router stands between: of the standard library alone, so that neither is its bottleneck.
module whisper-operator.invalid/benchmarks/router/load

go 1.26
