"""TensorFlow 1 reads the files; prints each one's largest error, or why it is refused.

    python3.6 read_with_old_tensorflow.py < jobs.json
    # [[file, images.npy, logits.npy], …]

Run by ask_old_tensorflow.py. For Python 3.6 too, the newest that TensorFlow 1.0 has.
"""

import json
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def logits_of(session, file, images):  # type: ignore[no-untyped-def]
    if file.endswith(".pb"):
        graph = tf.GraphDef()
        with open(file, "rb") as stream:
            graph.ParseFromString(stream.read())
        tf.import_graph_def(graph, name="")
    elif file.endswith(".meta"):
        saver = tf.train.import_meta_graph(file)
        session.run("init")
        saver.restore(session, file[:-len(".meta")])
    else:
        tf.saved_model.loader.load(session, ["serve"], file)
    return session.run("logits:0", {"input:0": images})


def main() -> None:
    print("TensorFlow", tf.__version__)
    for file, images, expected in json.load(sys.stdin):
        wanted = np.load(expected)
        try:
            with tf.Graph().as_default(), tf.Session() as session:
                found = logits_of(session, file, np.load(images))
            error = np.abs(found - wanted).max() / max(1, np.abs(wanted).max())
            told = f"{error:.1e}"
        except Exception as refused:    # whatever it is, it is the answer
            told = "refused: " + str(refused).split("\n")[0][:90]
        print("/".join(file.split("/")[-2:]).ljust(30), told, flush=True)


if __name__ == "__main__":
    main()
