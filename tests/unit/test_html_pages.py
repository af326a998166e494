"""Pages that load nothing: escaped text, and a policy that names this style and script alone."""

import re
import sys

import jinja2
import pytest

from upsampling.errors import UserError
from upsampling.html_pages import policy, templates

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
