"""Train in JAX, persist in TensorFlow's formats, with no TensorFlow installed.

The rooms, in the order data flows through them; read them in this order too:

- `main`: the process; `jaxfrost`, `python -m pipeline` and `run.py` begin here
- `sweep`: from a command line to an exit code; several runs as one piece of work
- `tasks`: what `task=` may be, one file a task; `context`, what each is told besides its options
- `flow`: config → data → model → train → …, which knows every stage
- `config`: the dataclasses that `conf/` must fill, checked once at the border
- `runs`: what a run is on disk: one reader for the records of runs and sweeps
- `data`: MNIST and a user's own data: `sources`, IDX files, TFDS, embedded digits; `DataSets`
- `scopes`: `variable_scope`, `get_variable` and the store of variables by name, on flax nnx
- `model`: a network as a pure function of its variables, from the scopes in `conf/model`
- `train`: optimizer and schedule, one pure step, an interval as one compiled program, resume
- `evaluate`: accuracy, loss, per-class figures, the confusion matrix
- `graph`: GraphDef and MetaGraphDef in memory: build, name, walk, cut, freeze, print
- `lowering`: jaxpr → graph of ordinary TensorFlow ops
- `execution`: graph → JAX function
- `tfjs`, `tflite`: graph → what browsers and phones run
- `checkpoint`: tensor bundles, `CheckpointReader`, `Saver`, the `checkpoint` state file
- `persistence`: what `conf/persistence` names, written into the run's directory
- `verification`: every artefact against the model it came from
- `report`: HTML, plots, TensorBoard events
- `gate`: exit codes, thresholds, baselines, and what a scheduler may trust
- `drawing`: graphs as pictures, for the pages of `serve` and `inspection`
- `serve`: a run in a browser: draw digits, browse mistakes, variables and the graph
- `inspection`: a look into any file, plans of restores, conversions

For all of them: `reading` opens what strangers may have made, `files` writes, and `budget` is asked
before anything is made whose size a file or a graph decides.

`scopes`, and the format rooms `graph`, `lowering`, `execution`, `tfjs`, `tflite` and `checkpoint`,
are libraries: they know nothing of configuration, data sets or stages.
"""
