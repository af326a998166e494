"""Unpacking of a data set's zip file: completely or not at all, never outside its folder."""

import os
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from upsampling.config.declared import shown
from upsampling.errors import UserError
from upsampling.tracks.listing import tracks_root

# Bytes of a name and of a path that common file systems take.
LONGEST_NAME, LONGEST_PATH = 255, 3000


def require_space(folder: Path, needed: int) -> None:
    """Raise a `UserError` unless the disk of `folder` has `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"not enough space in {folder}: {needed / 1e9:.2f} GB needed, "
            f"{free / 1e9:.2f} GB free; choose another folder or make room"
        )


def file_size(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a data set's zip file into `folder`, completely or not at all.

    An existing folder is left alone. Members that would leave the folder or overwrite each other,
    and symbolic links, are refused before anything is written; so is, after that, a zip file
    without folders train/ and test/.
    """
    if folder.exists():
        return
    temporary = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(temporary, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            check_members(archive, opened.infolist())
            require_space(folder.parent, sum(member.file_size for member in opened.infolist()))
            for member in opened.infolist():
                written = Path(opened.extract(member, temporary))
                # Python ends a member that is shorter than listed without an error.
                if not member.is_dir() and file_size(written) != member.file_size:
                    raise zipfile.BadZipFile(f"{shown(member.filename)} is shorter than listed")
        if tracks_root(temporary) is None:
            raise UserError(f"{archive} holds no train/ and test/; delete it and run again")
        os.replace(temporary, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError(f"{archive} is damaged ({error}); delete it and run again") from None
    except (RuntimeError, NotImplementedError) as error:
        # Encrypted members, and methods of compression that Python does not have.
        raise UserError(f"{archive} cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_members(archive: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse links, names that leave the folder or are too long, and two members of one path.

    Names are compared as paths, without case. A file with others below it is one of two, too.
    """
    paths = [PurePosixPath(member.filename.replace("\\", "/")) for member in members]
    for member, path in zip(members, paths, strict=True):
        linked = stat.S_ISLNK(member.external_attr >> 16)
        longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
        long = longest > LONGEST_NAME or len(os.fsencode(str(path))) > LONGEST_PATH
        if path.is_absolute() or ".." in path.parts or ":" in str(path) or linked or long:
            raise UserError(f"{archive}: refused to unpack {shown(member.filename)}")
    keys = [str(path).casefold() for path in paths]
    above = {str(parent).casefold() for path in paths for parent in path.parents}
    files = Counter(key for key, one in zip(keys, members, strict=True) if not one.is_dir())
    for key, member in zip(keys, members, strict=True):
        if files[key] > 1 or (files[key] and (key in above or member.is_dir())):
            raise UserError(f"{archive}: {shown(member.filename)} is in it more than once")
