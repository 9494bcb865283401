"""Damage that a disk, a copy or a stranger does to a directory of files."""

from __future__ import annotations

from pathlib import Path
from random import Random


def mutate(directory: Path, random: Random) -> str:
    """Changes one thing below the directory; returns what, or "" for nothing."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    path = random.choice(files)
    name, content = path.relative_to(directory), path.read_bytes()
    kind = random.choice(("flip", "cut", "delete", "swap", "extra", "overwrite", "grow"))
    if kind == "flip" and content:
        place, bit = random.randrange(len(content)), 1 << random.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1:])
    elif kind == "cut" and content:
        path.write_bytes(content[:random.randrange(len(content))])
    elif kind == "delete":
        path.unlink()
    elif kind == "swap":
        other = random.choice(files)
        if other.read_bytes() == content:
            return ""
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif kind == "extra":
        path.with_name(f"{path.name}.{random.randrange(9)}").write_bytes(content)
    elif kind == "overwrite" and content:
        start = random.randrange(len(content))
        filler = random.randbytes(random.randrange(1, 40))
        changed = (content[:start] + filler + content[start + len(filler):])[:len(content)]
        path.write_bytes(changed)
        return f"overwrite {name}" if changed != content else ""
    else:
        path.write_bytes(content + random.randbytes(random.randrange(1, 40)))
    return f"{kind} {name}"
