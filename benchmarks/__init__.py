"""What is measured against peers, one command each: `python -m benchmarks.runtimes`.

Times are of one machine and one moment, so what is quoted are ratios: contenders run in turns within one run, and each
turn is compared with its neighbours (`rounds`). Every contender has a process of its own (`contender`, `worker`), so
that no library's threads or memory count for another. `report` prints, keeps, and ends with one line of JSON.
"""
