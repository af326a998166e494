"""Tracks of MUSDB18 (stems, AAC) and MUSDB18-HQ (WAV) as 16-bit samples, by musdb's conventions.

Tracks are listed by musdb's folder layout and decoded by musdb, stempeg and ffmpeg. WAV files go
through libsndfile, which gives the same samples 60 times faster. `musdb.DB` is not used for listing
because it starts ffprobe five times per track.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.errors import UserError, require_text
from upsampling.tracks.decoder import decode_streams
from upsampling.tracks.listing import SUBSETS

# Order of the streams in a stem file, and of the first axis of everything decoded.
STEMS = ("mixture", "drums", "bass", "other", "vocals")
STEM_SUFFIX = ".stem.mp4"
# Four AAC frames: a container may announce padding that decoders drop. A larger loss is damage.
LARGEST_PADDING = 4096
# Loudest sample that 16 bits hold, after rounding.
FULL_SCALE = 32768.5 / 32768
# A mixture that differs by more from the sum of its stems is reported, in dB below the mixture.
LARGEST_DIFFERENCE = -20.0
# Samples of a file that is not held whole.
BLOCK = 1 << 20


@dataclass(frozen=True)
class SourceTrack:
    """A track on disk: a folder of WAV files (`wav`) or one stem file."""

    name: str
    subset: str
    path: Path
    wav: bool

    @property
    def files(self) -> list[Path]:
        """The files that the track is decoded from."""
        return [self.path / f"{stem}.wav" for stem in STEMS] if self.wav else [self.path]

    @property
    def has_mixture(self) -> bool:
        """False for WAV files without mixture.wav, which is then the sum of the others."""
        return not self.wav or self.files[0].exists()


@dataclass(frozen=True)
class Decoded:
    """`samples` int16 [5, samples, 2], ordered as `STEMS`, at `samplerate` Hz.

    They were multiplied by `gain`. A mixture that is not on disk is zeros. `notes` are remarks for
    the user.
    """

    samples: np.ndarray
    samplerate: int
    gain: float = 1.0
    notes: tuple[str, ...] = ()


def list_tracks(root: Path, wav: bool) -> list[SourceTrack]:
    """List the tracks below `root`/train and `root`/test, by name; none at all is a `UserError`.

    Hidden files, and folders without any stem (such as __MACOSX), are no tracks.
    """
    tracks = []
    for subset in SUBSETS:
        folder = Path(root) / subset
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name.startswith("."):
                continue
            require_text(path, "track")
            if wav and any((path / f"{stem}.wav").is_file() for stem in STEMS):
                tracks.append(SourceTrack(path.name, subset, path, wav))
            elif not wav and path.name.endswith(STEM_SUFFIX) and path.is_file():
                tracks.append(SourceTrack(path.name.removesuffix(STEM_SUFFIX), subset, path, wav))
    if not tracks:
        layout = "<track>/mixture.wav" if wav else f"<track>{STEM_SUFFIX}"
        raise UserError(f"no tracks in {root}: expected train/{layout} and test/{layout}")
    return tracks


def inspect_headers(track: SourceTrack) -> list[str]:
    """Mistakes in a WAV track's files that show without decoding them, one text each."""
    if not track.wav:
        return []
    problems, lengths, rates = [], {}, {}
    for path in track.files[not track.has_mixture :]:
        try:
            with _open(path) as file:
                lengths[path.name], rates[path.name] = file.frames, file.samplerate
                if file.channels != 2:
                    problems.append(
                        f"{path} has {file.channels} channel{'s' * (file.channels > 1)}; convert "
                        "it to stereo"
                    )
        except UserError as error:
            problems.append(str(error))
    for values, unit in ((lengths, "samples"), (rates, "Hz")):
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{name} {value}" for name, value in values.items())
            problems.append(f"{track.path}: its stems differ in {unit}: {listed}")
    if 0 in lengths.values():
        problems.append(f"{track.path} is empty")
    return problems


def _undecodable(path: Path, error: Any) -> UserError:
    return UserError(f"{path} cannot be decoded: {error.error_string.rstrip('.')}")


def _open(path: Path) -> Any:
    """Open an audio file; `UserError` if it is missing or no audio."""
    import soundfile

    if path.exists() and not path.is_file():
        # Opening a named pipe would wait for ever.
        raise UserError(f"{path} is no regular file; put a WAV file there")
    try:
        with open(path, "rb"):
            pass
        return soundfile.SoundFile(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; add it or remove the track") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except soundfile.LibsndfileError as error:
        raise _undecodable(path, error) from error


def read_track(track: SourceTrack, loud: str = "refuse") -> Decoded:
    """Decode all stems of `track`; raises `UserError` unless all decode completely.

    Samples that are not finite are refused; where some are beyond full scale, `loud` decides:
    "refuse", or "scale" all stems of the track by one factor.
    """
    decoded = _read_wav(track, loud) if track.wav else _read_stems(track)
    if decoded.samples.shape[1] == 0:
        raise UserError(f"track '{track.name}' is empty: {track.path}")
    if not track.has_mixture:
        return decoded
    difference = mixture_difference(decoded.samples)
    if difference > LARGEST_DIFFERENCE:
        note = f"the mixture is not the sum of its stems: they differ by {difference:.1f} dB"
        return replace(decoded, notes=(*decoded.notes, note))
    return decoded


def mixture_difference(samples: np.ndarray) -> float:
    """Energy of the mixture less all stems, in dB relative to the mixture.

    `samples` is int16 [5, samples, 2]. Without a difference it is -inf, else inf for a silent
    mixture.
    """
    error = mixture = 0.0
    for start in range(0, samples.shape[1], BLOCK):
        block = samples[:, start : start + BLOCK].astype(np.float64)
        mixture += float(np.square(block[0]).sum())
        error += float(np.square(block[0] - block[1:].sum(axis=0)).sum())
    if not mixture:
        return np.inf if error else -np.inf
    return 10 * float(np.log10(error / mixture)) if error else -np.inf


def _read_wav(track: SourceTrack, loud: str) -> Decoded:
    if problems := inspect_headers(track):
        raise UserError("; ".join(problems))
    paths = track.files[not track.has_mixture :]
    peaks = {path: _peak(path) for path in paths}
    loudest = max(peaks, key=lambda path: peaks[path])
    gain, notes = 1.0, []
    if peaks[loudest] > FULL_SCALE:
        if loud == "refuse":
            raise UserError(
                f"{loudest} reaches {peaks[loudest]:.3g}, and full scale is 1: scale all stems of "
                "the track, or set data.beyond_full_scale: scale"
            )
        gain = 1 / peaks[loudest]
        notes.append(f"all stems are scaled by {20 * np.log10(gain):.1f} dB: {loudest.name} "
                     f"reaches {peaks[loudest]:.3g}")  # fmt: skip
    with _open(paths[0]) as file:
        samples = np.zeros((len(STEMS), file.frames, 2), np.int16)
        samplerate = file.samplerate
    for row, path in zip(samples[not track.has_mixture :], paths, strict=True):
        _read_samples(path, gain, row)
    return Decoded(samples, samplerate, gain, tuple(notes))


def _peak(path: Path) -> float:
    """The largest magnitude in a file; 0 for 16-bit samples, which cannot be beyond full scale."""
    peak = 0.0
    with _open(path) as file:
        if file.subtype == "PCM_16":
            return peak
        for start, block in _blocks(file, path, "float64"):
            if not np.isfinite(block).all():
                first = start + int(np.argmin(np.isfinite(block).all(axis=1)))
                raise UserError(
                    f"{path}: the sample at {first / file.samplerate:.3f} s is no finite number; "
                    "export the file again"
                )
            peak = max(peak, float(np.abs(block).max(initial=0)))
    return peak


def _read_samples(path: Path, gain: float, out: np.ndarray) -> None:
    """Write a file's samples times `gain` to `out`, int16 [samples, 2]."""
    with _open(path) as file:
        # libsndfile would cast floats to int16 without scaling, that is, to zeros.
        as_it_is = file.subtype == "PCM_16" and gain == 1
        for start, block in _blocks(file, path, "int16" if as_it_is else "float64"):
            if not as_it_is:
                block = np.clip(np.round(block * (gain * 32768)), -32768, 32767)
            out[start : start + len(block)] = block


def _blocks(file: Any, path: Path, dtype: str) -> Iterator[tuple[int, np.ndarray]]:
    """First sample and samples [n, channels] of each block of an open file, up to its length."""
    import soundfile

    start = 0
    while start < file.frames:
        try:
            block = file.read(BLOCK, dtype=dtype, always_2d=True)
        except soundfile.LibsndfileError as error:
            raise _undecodable(path, error) from error
        if not len(block):
            raise UserError(
                f"{path} ends early, after {start} of {file.frames} samples; copy it again"
            )
        yield start, block
        start += len(block)


def _read_stems(track: SourceTrack) -> Decoded:
    sounds, announced, samplerate = decode_streams(track.path, track.name, len(STEMS))
    lengths = {stem: len(sound) for stem, sound in zip(STEMS, sounds, strict=True)}
    for sound, expected, (stem, length) in zip(sounds, announced, lengths.items(), strict=True):
        if length < expected - LARGEST_PADDING:
            raise UserError(
                f"cannot decode track '{track.name}': {track.path} ends early "
                f"({stem}: {length} of {expected} samples); copy or download it again"
            )
        if sound.shape[1] != 2:
            raise UserError(
                f"{track.path}: {stem} has {sound.shape[1]} channel(s); convert it to stereo"
            )
    shortest, notes = min(lengths.values()), []
    if max(lengths.values()) > shortest + LARGEST_PADDING:
        listed = ", ".join(f"{stem} {length}" for stem, length in lengths.items())
        notes.append(f"all stems are cut to the shortest; samples: {listed}")
    samples = np.stack([sound[:shortest] for sound in sounds])
    return Decoded(samples, samplerate, notes=tuple(notes))
