"""Several runs as one piece of work: every job's end kept, one table at the end, one exit code.

`launch` is the process from command line to exit code, `process` what it has under way, `job` a set
of overrides and its runs, `execute` what carries them out, `outcome` how one ended, `stopping` what
ends them in other processes; `collect`, `rank` and `conclude` make the table of what lies in a
sweep's directory. Without JAX, which comes with the first run.
"""

from pipeline.sweep.launch import launch as launch
