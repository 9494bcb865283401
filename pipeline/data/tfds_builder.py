"""MNIST-shaped data sets as tensorflow-datasets builders that need no TensorFlow.

The packaged builders of TFDS 4.9.10 unzip, parse and encode with TensorFlow. These read with our
own IDX reader and hand over PIL images; what they prepare has the same name, version, features and
order as what the packaged ones prepare, and either can read it. Importing this module imports TFDS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.checksums import UrlInfo

from pipeline.data.catalogue import FILE_NAMES, Source
from pipeline.data.dataset import UInt8
from pipeline.data.idx import read_images, read_labels
from pipeline.data.progress import progress


class _IdxBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc, call-arg]
    """A builder over four IDX files; `source` is set by the subclass."""

    source: Source
    URL: str

    def _info(self) -> Any:
        return tfds.core.DatasetInfo(
            builder=self,
            description=f"{self.source.title}: 28x28 grey-scale images of ten classes.",
            features=tfds.features.FeaturesDict({
                "image": tfds.features.Image(shape=(28, 28, 1)),
                "label": tfds.features.ClassLabel(names=self.source.classes),
            }),
            supervised_keys=("image", "label"),
            homepage=self.source.homepage,
            citation=self.source.citation,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict[str, Any]]]]:
        # `download`, not `download_and_extract`: TFDS extracts gzip with TensorFlow.
        paths = dl_manager.download({part: self.URL + name for part, name in FILE_NAMES.items()})
        return {
            split: self._generate_examples(
                split,
                read_images(Path(paths[f"{split}_images"])).values,
                read_labels(Path(paths[f"{split}_labels"])).values,
            )
            for split in ("train", "test")
        }

    def _generate_examples(self, split: str, images: UInt8,
                           labels: UInt8) -> Iterator[tuple[int, dict[str, Any]]]:
        from PIL import Image

        with progress(f"Preparing {self.name} {split}", len(images), in_bytes=False) as advance:
            for index, (image, label) in enumerate(zip(images, labels, strict=True)):
                # An ndarray would be encoded by TensorFlow; a PIL image is encoded by PIL.
                yield index, {"image": Image.fromarray(image), "label": int(label)}
                advance(1)


def builder(source: Source, data_directory: Path) -> Any:
    """A TFDS builder for `source` that prepares, or finds prepared, under `data_directory`."""
    checksums = {
        source.url + FILE_NAMES[part]: UrlInfo(
            size=published.size, checksum=published.sha256, filename=FILE_NAMES[part])
        for part, published in source.files.items()
    }
    members = {"__module__": __name__, "name": source.name, "source": source, "URL": source.url,
               "VERSION": tfds.core.Version(source.version), "url_infos": checksums}
    made = type("IdxBuilder", (_IdxBuilder,), members, skip_registration=True)
    return made(data_dir=str(data_directory))
