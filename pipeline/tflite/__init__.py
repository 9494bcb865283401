"""TFLite models from GraphDefs, without TensorFlow.

`convert` goes over the nodes once, by the table in `rules`; `model` holds what they become, `file`
is the FlatBuffers file, `reader` looks into one and runs it. Schema and runtime are those of
ai-edge-litert, the extra `tflite`; they are imported where they are used.
"""

from pipeline.tflite.convert import Storage as Storage
from pipeline.tflite.convert import convert as convert
from pipeline.tflite.errors import TfliteError as TfliteError
from pipeline.tflite.errors import TfliteFileError as TfliteFileError
from pipeline.tflite.reader import Description as Description
from pipeline.tflite.reader import describe as describe
from pipeline.tflite.reader import run as run
