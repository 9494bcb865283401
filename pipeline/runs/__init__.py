"""What a run is on disk: its records, and the one reader for all of them.

A record's schema is a dataclass beside what writes it; here it is read, bounded and checked.
"""

from pipeline.runs.records import PathText as PathText
from pipeline.runs.records import RecordError as RecordError
from pipeline.runs.records import read_json as read_json
from pipeline.runs.records import read_yaml as read_yaml
