"""Write the settings that the package declares as a JSON schema and as a page of documentation.

    python scripts/export_settings.py --schema config.schema.yaml --page config.md

Without arguments it writes schemas/config.schema.yaml and docs/config.md.
"""

from pathlib import Path

from upsampling.arguments import parser
from upsampling.errors import command_line
from upsampling.files import write_text

ROOT = Path(__file__).parents[1]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--schema", type=Path, default=ROOT / "schemas" / "config.schema.yaml")
    options.add_argument("--page", type=Path, default=ROOT / "docs" / "config.md")
    arguments = options.parse_args()

    import yaml

    from upsampling.config.export import json_schema, markdown

    write_text(arguments.schema, yaml.safe_dump(json_schema(), sort_keys=False, width=100))
    write_text(arguments.page, markdown())


if __name__ == "__main__":
    command_line(main)
