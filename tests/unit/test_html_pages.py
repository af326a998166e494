"""Pages that load nothing: escaped text, and a policy that names this style and script alone."""

import base64
import io
import re
import sys

import jinja2
import numpy as np
import pytest
import soundfile

from upsampling.errors import UserError
from upsampling.html_pages import data_uri, flac, policy, templates

# The example of the Content Security Policy specification, level 3, and SHA-256 of nothing.
SOMETHING = "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"
NOTHING = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


def test_the_policy_has_the_digests_of_style_and_script():
    text = policy("", "doSomething();")
    assert f"style-src {NOTHING}" in text
    assert f"script-src {SOMETHING}" in text


def test_without_a_script_none_may_run():
    directives = dict(re.findall(r"([\w-]+) ([^;]+)", policy("doSomething();")))
    assert directives == {
        "default-src": "'none'",
        "style-src": SOMETHING,
        "img-src": "data:",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_a_page_without_sounds_may_play_none():
    assert "media-src" not in policy("", sounds=False)
    assert "media-src data:" in policy("")


def test_templates_escape_text_and_refuse_names_without_a_value(tmp_path):
    (tmp_path / "page.html.j2").write_text("<p>{{ text }}</p>")
    template = templates(tmp_path).get_template("page.html.j2")
    assert template.render(text="<script>&'") == "<p>&lt;script&gt;&amp;&#39;</p>"
    with pytest.raises(jinja2.UndefinedError):
        template.render()


def test_without_jinja2_one_line_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UserError, match="pip install jinja2"):
        templates(tmp_path)


def test_data_uris_are_base64_of_a_mime_type():
    """The second example is that of RFC 4648."""
    assert data_uri("image/png", b"") == "data:image/png;base64,"
    assert data_uri("text/plain", b"foobar") == "data:text/plain;base64,Zm9vYmFy"


def test_sounds_are_flac_of_16_bits():
    samples = np.random.default_rng(0).uniform(-1, 1, 1000)
    kind, _, content = flac(samples, 22050).partition(";base64,")
    assert kind == "data:audio/flac"
    with soundfile.SoundFile(io.BytesIO(base64.b64decode(content))) as file:
        assert (file.format, file.subtype, file.samplerate) == ("FLAC", "PCM_16", 22050)
        assert np.abs(file.read() - samples).max() <= 2**-15
