"""The budget of memory: what it refuses, what it gives back, and who asks it."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline import budget
from pipeline.budget import MemoryBudgetError
from pipeline.checkpoint import CheckpointReader, write_bundle
from pipeline.checkpoint.errors import ResourceExhaustedError
from pipeline.data.idx import read_images
from pipeline.data.pictures import read_picture
from tests.configured import configured

MEGABYTE = 10**6


@pytest.fixture(autouse=True)
def _one_megabyte() -> Iterator[None]:
    budget.set_limit(MEGABYTE)
    yield
    budget.set_limit(None)


def test_what_does_not_fit_is_refused_by_name_and_size() -> None:
    budget.current().require(MEGABYTE, "all of it")
    with pytest.raises(MemoryBudgetError) as refused:
        budget.current().require(3 * 10**9, "graph.pb: constant Fill")
    assert str(refused.value).startswith(
        "graph.pb: constant Fill: would take 3.0 GB of memory; the budget is 1.0 MB: ")
    assert "runtime.memory_budget" in str(refused.value)


def test_an_account_adds_up_and_is_given_back() -> None:
    with budget.account() as account:
        account.spend(800_000, "a")
        budget.current().require(200_000, "b")
        with pytest.raises(MemoryBudgetError, match=r"of which 800\.0 kB are in use"):
            account.spend(200_001, "c")
    assert budget.current().spent == 0
    with budget.account() as account:
        account.spend(MEGABYTE, "d")


def test_the_default_is_half_of_what_there_is() -> None:
    budget.set_limit(None)
    assert budget.current().limit == budget.available_memory() // 2
    assert budget.available_memory() > 0


@pytest.mark.parametrize(("text", "size"), [("8GB", 8 * 10**9), ("512MiB", 512 << 20),
                                            ("1000000", 10**6), ("null", None)])
def test_the_setting(text: str, size: int | None) -> None:
    assert configured(f"runtime.memory_budget={text}").runtime.memory_budget == size


@pytest.mark.parametrize("text", ["0", "-5", "much"])
def test_a_setting_that_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^runtime.memory_budget={text}: "):
        configured(f"runtime.memory_budget={text}")


def test_images_are_refused_by_their_header(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(struct.pack(">4I", 0x803, 2000, 28, 28) + bytes(2000 * 784)))
    with pytest.raises(MemoryBudgetError, match=r"images\.gz: 2,000 images: would take 1\.6 MB"):
        read_images(path)


def test_a_picture_is_refused_by_its_header() -> None:
    content = io.BytesIO()
    Image.new("L", (1000, 1000)).save(content, "PNG")
    with pytest.raises(MemoryBudgetError, match=r"upload: would take 12\.0 MB"):
        read_picture(content.getvalue(), "upload")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_pillow_turns_it(orientation: int) -> None:
    random = np.random.default_rng(0)
    budget.set_limit(None)
    strokes = np.full((40, 30, 3), 255, np.uint8)
    strokes[5:35, 10:14], strokes[5:9, 10:random.integers(20, 28)] = 0, 0
    picture, turned = Image.fromarray(strokes), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(turned, "PNG", exif=exif)
    upright = io.BytesIO()
    with Image.open(turned) as opened:
        ImageOps.exif_transpose(opened).save(upright, "PNG")
    assert (read_picture(turned.getvalue()) == read_picture(upright.getvalue())).all()


def test_strips_of_a_large_picture_meet() -> None:
    """A picture that is converted in several strips equals the same picture of whole strips."""
    budget.set_limit(None)
    large = Image.new("RGB", (3000, 3000), "white")
    large.paste("black", (1200, 500, 1500, 2500))
    content = io.BytesIO()
    large.save(content, "PNG")
    small = io.BytesIO()
    large.reduce(3).save(small, "PNG")
    assert (read_picture(content.getvalue()) == read_picture(small.getvalue())).all()


def test_a_checkpoint_s_errors_stay_of_its_own_room(tmp_path: Path) -> None:
    write_bundle(tmp_path / "m", {"names": np.array([b"x"] * 20_000, object)})
    with pytest.raises(ResourceExhaustedError, match=r"m: names: strings: would take"):
        CheckpointReader(tmp_path / "m")["names"]
    budget.set_limit(500)
    with pytest.raises(ResourceExhaustedError, match="of memory; the budget is 500 bytes"):
        CheckpointReader(tmp_path / "m")
