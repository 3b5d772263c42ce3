"""`python -m benchmarks`: all of them."""

from benchmarks import gate, install

for benchmark in (install, gate):
    benchmark.main()
