"""Asks TensorBoard's HParams tab for its rows; prints JSON. Run by test_report_hparams.py.

    python read_hparams_with_tensorboard.py LOGDIR

In a process of its own, as read_with_tensorboard.py.
"""

import json
import sys
import types
import warnings


def main(directory: str) -> None:
    # TensorBoard's own switch: with this module there it never imports TensorFlow.
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    warnings.simplefilter("ignore")
    from tensorboard import default, program
    from tensorboard.backend import application
    from werkzeug.test import Client

    board = program.TensorBoard(plugins=default.get_static_plugins())
    board.configure(argv=["tensorboard", "--logdir", directory, "--load_fast=false",
                          "--reload_interval=0", "--reload_task=blocking"])
    provider, multiplexer = board._make_data_provider()
    client = Client(application.TensorBoardWSGIApp(
        board.flags, board.plugin_loaders, provider, board.assets_zip_provider, multiplexer))
    prefix = "/data/plugin/hparams/"
    experiment = client.post(prefix + "experiment", json={}).json
    metrics = [{"metric": info["name"]} for info in experiment["metricInfos"]]
    rows = client.post(prefix + "session_groups", json={
        "allowedStatuses": ["STATUS_SUCCESS"], "colParams": metrics, "startIndex": 0,
        "sliceSize": 100}).json
    print(json.dumps({"experiment": experiment, "rows": rows,
                      "loaded": sorted({"tensorflow"} & set(sys.modules))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
