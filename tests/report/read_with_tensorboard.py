"""Asks TensorBoard itself for what its tabs show; prints JSON. Run by test_report_events.py.

    python read_with_tensorboard.py LOGDIR python|rust

In a process of its own: TensorBoard leaves threads, and a data server, behind.
"""

import json
import sys
import time
import types
import warnings

READERS = {
    "python": ["--load_fast=false", "--reload_interval=0", "--reload_task=blocking"],
    "rust": ["--load_fast=true"],
}


def main(directory: str, reader: str) -> None:
    # TensorBoard's own switch: with this module there it never imports TensorFlow.
    sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    warnings.simplefilter("ignore")
    from tensorboard import default, program
    from tensorboard.backend import application
    from werkzeug.test import Client

    board = program.TensorBoard(plugins=default.get_static_plugins())
    board.configure(argv=["tensorboard", "--logdir", directory, *READERS[reader]])
    provider, multiplexer = board._make_data_provider()
    client = Client(application.TensorBoardWSGIApp(
        board.flags, board.plugin_loaders, provider, board.assets_zip_provider, multiplexer))
    deadline = time.monotonic() + 60
    while not client.get("/data/plugin/graphs/info").json and time.monotonic() < deadline:
        time.sleep(0.05)
    scalar = "/data/plugin/scalars/scalars?run=.&tag="
    scalars = {tag: client.get(scalar + tag).json
               for tag in client.get("/data/plugin/scalars/tags").json["."]}
    text = "/data/plugin/text/text?run=.&markdown=true&tag="
    texts = {tag: client.get(text + tag).json[0]["text"]
             for tag in client.get("/data/plugin/text/tags").json["."]}
    print(json.dumps({
        "runs": client.get("/data/runs").json,
        "scalars": scalars,
        "texts": texts,
        "graph": client.get("/data/plugin/graphs/graph?run=.").text,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
