"""HTML pages that load nothing: templates, data URIs, and the policy that a browser enforces."""

import base64
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upsampling.errors import UserError

if TYPE_CHECKING:
    from jinja2 import Environment
    from numpy.typing import NDArray


def templates(folder: Path) -> "Environment":
    """The templates of a folder. All text is escaped, and a name without a value is an error.

    Raises `UserError` without Jinja2.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise UserError("an HTML page needs Jinja2: pip install jinja2") from error
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(style: str, script: str | None = None, sounds: bool = True) -> str:
    """The Content-Security-Policy: this style, this script if any, pictures in data URIs alone.

    So for `sounds`, if the page has any.
    """
    directives = ["default-src 'none'", f"style-src {_digest(style)}"]
    if script is not None:
        directives.append(f"script-src {_digest(script)}")
    directives.append("img-src data:")
    if sounds:
        directives.append("media-src data:")
    return "; ".join([*directives, "base-uri 'none'", "form-action 'none'"])


def data_uri(kind: str, content: bytes) -> str:
    """`content` of the MIME type `kind` as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def flac(samples: "NDArray[Any]", samplerate: int) -> str:
    """`samples` [samples], at most 1 in size, as a data URI of a 16-bit FLAC file."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, samples, samplerate, format="FLAC", subtype="PCM_16")
    return data_uri("audio/flac", file.getvalue())


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
