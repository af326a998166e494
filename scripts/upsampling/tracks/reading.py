"""Tracks of MUSDB18 (stems, AAC) and MUSDB18-HQ (WAV) as 16-bit samples, by musdb's conventions.

Tracks are listed by musdb's folder layout and decoded by musdb, stempeg and ffmpeg; WAV files go
through libsndfile, which gives the same samples 60 times sooner. `musdb.DB` itself is not used for
lists, since it starts ffprobe five times per track.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from upsampling.errors import UserError
from upsampling.tracks.decoder import ensure_ffmpeg

# Order of the streams in a stem file, and of the first axis of everything decoded.
STEMS = ("mixture", "drums", "bass", "other", "vocals")
SUBSETS = ("train", "test")
STEM_SUFFIX = ".stem.mp4"
# Four AAC frames: containers may announce some padding that decoders drop; more is a damaged file.
SHORTEST_LOSS = 4096


@dataclass(frozen=True)
class SourceTrack:
    """A track as found on disk: a folder of WAV files (`wav`) or one stem file."""

    name: str
    subset: str
    path: Path
    wav: bool

    @property
    def files(self) -> list[Path]:
        """Every file that the track is decoded from."""
        return [self.path / f"{stem}.wav" for stem in STEMS] if self.wav else [self.path]


@dataclass(frozen=True)
class Decoded:
    """`samples` int16 [5, samples, 2], ordered as `STEMS`, at `samplerate` Hz."""

    samples: np.ndarray
    samplerate: int


def list_tracks(root: Path, wav: bool) -> list[SourceTrack]:
    """List the tracks below `root`/train and `root`/test, by name; none at all is a `UserError`."""
    tracks = []
    for subset in SUBSETS:
        folder = Path(root) / subset
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if wav and path.is_dir() and not path.name.startswith("."):
                tracks.append(SourceTrack(path.name, subset, path, wav))
            elif not wav and path.name.endswith(STEM_SUFFIX) and not path.name.startswith("."):
                tracks.append(SourceTrack(path.name.removesuffix(STEM_SUFFIX), subset, path, wav))
    if not tracks:
        layout = "<track>/mixture.wav" if wav else f"<track>{STEM_SUFFIX}"
        raise UserError(f"no tracks in {root}: expected train/{layout} and test/{layout}")
    return tracks


def musdb_validation_names() -> list[str]:
    """The 14 tracks of train/ that musdb's own configuration sets aside for validation."""
    ensure_ffmpeg()
    import musdb

    return list(musdb.DB(root=".", subsets=[]).setup["validation_tracks"])


def read_track(track: SourceTrack) -> Decoded:
    """Decode all five stems of `track`; what cannot be decoded whole is a `UserError`."""
    decoded = _read_wav(track) if track.wav else _read_stems(track)
    if decoded.samples.shape[1] == 0:
        raise UserError(f"track '{track.name}' is empty: {track.path}")
    return decoded


def _read_wav(track: SourceTrack) -> Decoded:
    import soundfile

    sounds, rates = [], set()
    for path in track.files:
        try:
            with soundfile.SoundFile(path) as file:
                rates.add(file.samplerate)
                if file.subtype == "PCM_16":
                    sound = file.read(dtype="int16", always_2d=True)
                else:
                    # libsndfile would cast floats to int16 unscaled, that is, to zeros.
                    sound = np.clip(np.round(file.read(always_2d=True) * 32768), -32768, 32767)
        except (OSError, soundfile.LibsndfileError) as error:
            raise UserError(f"cannot decode track '{track.name}': {path}: {error}") from error
        if sound.shape[1] != 2:
            raise UserError(f"track '{track.name}' is not stereo: {path}")
        sounds.append(sound.astype(np.int16, copy=False))
    lengths = {len(sound) for sound in sounds}
    if len(lengths) > 1 or len(rates) > 1:
        raise UserError(
            f"the stems of track '{track.name}' differ in length or sampling rate: {track.path}"
        )
    return Decoded(np.stack(sounds), rates.pop())


def _read_stems(track: SourceTrack) -> Decoded:
    ensure_ffmpeg()
    import ffmpeg
    import musdb
    import stempeg

    try:
        opened = musdb.MultiTrack(
            name=track.name, path=str(track.path), subset=track.subset, is_wav=False, stem_id=0
        )
        if opened.info is None:
            raise OSError("no such file")
        if opened.info.nb_audio_streams != len(STEMS):
            raise ValueError(f"{opened.info.nb_audio_streams} audio streams instead of 5")
        announced = [opened.info.samples(stem) for stem in range(len(STEMS))]
        # As 16-bit samples, which musdb decodes to as well before it makes them float64; one stem
        # at a time, since stempeg's own cutting of stems to one length fails in its warning.
        sounds = [
            stempeg.read_stems(
                str(track.path),
                stem_id=stream,
                info=opened.info,
                dtype=np.int16,
                ffmpeg_format="s16le",
                always_3d=True,
            )[0][0]
            for stream in opened.info.audio_stream_idx()
        ]
    except ffmpeg.Error as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UserError(f"cannot decode track '{track.name}': {' '.join(reason)}") from error
    except (OSError, RuntimeError, ValueError, KeyError, IndexError, Warning) as error:
        raise UserError(f"cannot decode track '{track.name}': {track.path}: {error}") from error
    for stem, sound, samples in zip(STEMS, sounds, announced, strict=True):
        if len(sound) < samples - SHORTEST_LOSS:
            raise UserError(
                f"cannot decode track '{track.name}': {track.path} ends early "
                f"({stem}: {len(sound)} of {samples} samples); copy or download it again"
            )
    shortest = min(len(sound) for sound in sounds)
    return Decoded(np.stack([s[:shortest] for s in sounds]), opened.info.sample_rate(0))
