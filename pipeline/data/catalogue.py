"""The published data sets: where their four IDX files lie and how to know them.

Addresses, sizes and sha256 of the .gz files are those that tensorflow-datasets 4.9.10 carries in
`url_checksums/{mnist,fashion_mnist,kmnist}.txt`; MNIST's payload digests are of those files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.data.errors import DataSettingError

Part = Literal["train_images", "train_labels", "test_images", "test_labels"]


@dataclass(frozen=True)
class Published:
    """One .gz file as published; `payload_sha256` is of its decompressed bytes, where known."""

    size: int
    sha256: str
    payload_sha256: str | None = None


@dataclass(frozen=True)
class Source:
    """A data set: its home, its files by part, and what its ten labels mean."""

    name: str
    title: str
    url: str
    files: dict[Part, Published]
    homepage: str
    citation: str
    classes: tuple[str, ...] = tuple("0123456789")
    version: str = "3.0.1"   # of the packaged TFDS builder


# In TF1's reading order.
FILE_NAMES: dict[Part, str] = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}

MNIST = Source(
    name="mnist",
    title="MNIST",
    url="https://storage.googleapis.com/cvdf-datasets/mnist/",
    files={
        "train_images": Published(
            9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        "train_labels": Published(
            28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        "test_images": Published(
            1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        "test_labels": Published(
            4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    },
    homepage="http://yann.lecun.com/exdb/mnist/",
    citation="Y. LeCun, C. Cortes, C. Burges: MNIST handwritten digit database. 2010.",
)

FASHION_MNIST = Source(
    name="fashion_mnist",
    title="Fashion-MNIST",
    url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    files={
        "train_images": Published(
            26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train_labels": Published(
            29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "test_images": Published(
            4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "test_labels": Published(
            5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
    homepage="https://github.com/zalandoresearch/fashion-mnist",
    citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST. arXiv:1708.07747, 2017.",
    classes=("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
             "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)

KMNIST = Source(
    name="kmnist",
    title="Kuzushiji-MNIST",
    url="http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    files={
        "train_images": Published(
            18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
        "train_labels": Published(
            29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
        "test_images": Published(
            3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
        "test_labels": Published(
            5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
    },
    homepage="http://codh.rois.ac.jp/kmnist/index.html.en",
    citation="T. Clanuwat et al.: Deep Learning for Classical Japanese Literature. "
             "arXiv:1812.01718, 2018.",
    classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)

SOURCES: dict[str, Source] = {source.name: source for source in (MNIST, FASHION_MNIST, KMNIST)}


def find_source(name: str) -> Source:
    """The published data set of that name.

    Raises:
        DataSettingError: there is none.
    """
    if name not in SOURCES:
        raise DataSettingError(f"{name}: no published data set of this name is known; expected "
                               f"one of {', '.join(SOURCES)}")
    return SOURCES[name]
