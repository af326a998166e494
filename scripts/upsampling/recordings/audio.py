"""Recordings, read in blocks: libsndfile's formats directly, all others through ffmpeg."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from upsampling.errors import UserError
from upsampling.measures.from_waveform import Floats
from upsampling.tracks.decoder import ensure_ffmpeg

# Samples of all channels together that are held at once (8 MB in double precision).
BLOCK_SAMPLES = 2**20
SAMPLERATES = (4000, 768_000)
MAXIMUM_CHANNELS = 1024
# Far above anything that clips: a file with larger samples holds no audio.
MAXIMUM_MAGNITUDE = 1e6
SUFFIXES = frozenset((
    ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".caf", ".dts", ".flac",
    ".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpc", ".oga", ".ogg",
    ".opus", ".rf64", ".snd", ".tta", ".w64", ".wav", ".wave", ".webm", ".wma", ".wv",
))  # fmt: skip
# Containers of one file. Playlists and scripts, which make ffmpeg open other files, are not in it.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,latm,loas,matroska,mov,mp3,mp4,mpc,mpc8,"
    "mpeg,mpegts,ogg,rm,tak,tta,voc,w64,wav,webm,wv,xwma"
)
PROBE_SECONDS = 60


@dataclass(frozen=True)
class Recording:
    """One audio file, whose samples are read by `blocks`.

    `codec` is libsndfile's name of the encoding (PCM_16, MPEG_LAYER_III, OPUS, ..) or ffmpeg's.
    """

    path: Path
    samplerate: int
    channels: int
    codec: str
    by_ffmpeg: bool

    def blocks(self) -> Iterator[Floats]:
        """Yield float64 [samples, channels], full scale 1, in order.

        Raises `UserError` for files that end in damage, and for samples that are not finite or far
        beyond full scale.
        """
        samples = max(BLOCK_SAMPLES // self.channels, 1)
        position = 0
        for block in (_ffmpeg_blocks if self.by_ffmpeg else _sndfile_blocks)(self, samples):
            largest = float(np.max(np.abs(block), initial=0.0))
            if not largest <= MAXIMUM_MAGNITUDE:
                wrong = np.argmax(~(np.abs(block).max(axis=1) <= MAXIMUM_MAGNITUDE))
                seconds = (position + int(wrong)) / self.samplerate
                raise UserError(
                    f"{self.path}: the sample at {seconds:.3f} s is {_extreme(block[wrong])}; "
                    "full scale is 1: write the file again without such samples"
                )
            position += len(block)
            yield block

    def length(self, limit: int) -> int:
        """Count samples per channel by reading them, up to about `limit`: headers can be wrong."""
        total = 0
        for block in self.blocks():
            total += len(block)
            if total >= limit:
                break
        return total


def _extreme(sample: Floats) -> str:
    """The channel of `sample` [channels] that is furthest from zero, in words."""
    magnitudes = np.where(np.isnan(sample), np.inf, np.abs(sample))
    value = sample[int(np.argmax(magnitudes))]
    return "not a number" if np.isnan(value) else f"{value:g}"


def open_recording(path: str | Path) -> Recording:
    """Read the header of an audio file; raise `UserError` with one line if there is no audio."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; give audio files, or folders that hold some")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty")
    try:
        with _silenced(), soundfile.SoundFile(path) as file:
            found = Recording(path, file.samplerate, file.channels, file.subtype, False)
    except (soundfile.LibsndfileError, TypeError, ValueError):
        # A raw file of unknown layout is a TypeError of soundfile's.
        found = _probe(path)
    low, high = SAMPLERATES
    if not low <= found.samplerate <= high:
        raise UserError(
            f"{path}: a sampling rate of {found.samplerate} Hz; {low} to {high} Hz are read"
        )
    if not 1 <= found.channels <= MAXIMUM_CHANNELS:
        raise UserError(f"{path}: {found.channels} channels; 1 to {MAXIMUM_CHANNELS} are read")
    return found


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep notes of libsndfile's MP3 decoder, which it prints itself, off standard error."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _sndfile_blocks(recording: Recording, samples: int) -> Iterator[Floats]:
    try:
        with soundfile.SoundFile(recording.path) as file:
            while True:
                with _silenced():
                    block = file.read(samples, dtype="float64", always_2d=True)
                if not len(block):
                    return
                yield block
    except soundfile.LibsndfileError as error:
        raise UserError(
            f"{recording.path}: damaged: {_line(str(error), recording.path)}"
        ) from error


def _probe(path: Path) -> Recording:
    """Header of a file that libsndfile does not read, by ffprobe."""
    ensure_ffmpeg()
    command = [
        *_safely("ffprobe", path), "-select_streams", "a:0",
        "-show_entries", "stream=codec_name,sample_rate,channels", "-of", "json",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_SECONDS
        )
        stream = json.loads(done.stdout or b"{}")["streams"][0]
        return Recording(
            path, int(stream["sample_rate"]), int(stream["channels"]), stream["codec_name"], True
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{path}: its header takes over {PROBE_SECONDS} s to read") from error
    except (KeyError, IndexError, ValueError) as error:
        reason = _line(done.stderr.decode(errors="replace"), path)
        raise UserError(
            f"{path}: no audio in a format that libsndfile or ffmpeg reads"
            f"{f' ({reason})' if reason else ''}"
        ) from error


def _safely(program: str, path: Path) -> list[str]:
    """Command line that opens this file alone, regardless of its name and of files it refers to."""
    return [
        program, "-v", "error", "-protocol_whitelist", "file", "-format_whitelist", CONTAINERS,
        "-i", f"file:{path.resolve()}",
    ]  # fmt: skip


def _ffmpeg_blocks(recording: Recording, samples: int) -> Iterator[Floats]:
    ensure_ffmpeg()
    command = _safely("ffmpeg", recording.path)
    command += ["-nostdin", "-map", "0:a:0", "-ac", str(recording.channels)]
    command += ["-ar", str(recording.samplerate), "-f", "f32le", "pipe:1"]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        ) as decoder,
    ):
        assert decoder.stdout is not None
        try:
            width = 4 * recording.channels
            while raw := decoder.stdout.read(samples * width):
                whole = len(raw) - len(raw) % width
                block = np.frombuffer(raw[:whole], "<f4").reshape(-1, recording.channels)
                yield block.astype(np.float64)
            status = decoder.wait()
        finally:
            # The reader may stop early; the decoder then has nobody to write to.
            decoder.kill()
        if status:
            errors.seek(0)
            reason = _line(errors.read().decode(errors="replace"), recording.path)
            raise UserError(f"{recording.path}: damaged: {reason or f'ffmpeg ended by {status}'}")


def _line(text: str, path: Path) -> str:
    """The last line of a program's message, without the path that our own message begins with."""
    *_, last = ["", *text.strip().splitlines()]
    return last.strip().replace(f"file:{path.resolve()}: ", "")[:200]


def audio_files(arguments: Iterable[str | Path]) -> tuple[list[Path], list[str]]:
    """Files as given and the audio files below folders, each once; and a line per empty folder.

    Files in folders are those with a suffix of `SUFFIXES`, in alphabetical order; hidden ones and
    linked folders are left out.
    """
    files: dict[Path, None] = {}
    problems = []
    for argument in map(Path, arguments):
        if not argument.is_dir():
            files[argument] = None
            continue
        below = [
            path
            for path in sorted(argument.rglob("*"))
            if path.suffix.lower() in SUFFIXES
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(argument).parts)
        ]
        if not below:
            problems.append(f"{argument}: no audio files in this folder or below")
        files |= dict.fromkeys(below)
    return list(files), problems
