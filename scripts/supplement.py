"""Write the supplement: all figures and tables of a run with their captions, as LaTeX and PDF.

    snakemake --cores all results/demo/supplement/supplement.tex

creates the files that it includes, and calls this program. The PDF needs pdflatex.
"""

from pathlib import Path

from upsampling.arguments import parser, settings
from upsampling.errors import command_line
from upsampling.files import checked, write_text
from upsampling.supplement.document import Content, compile_pdf, document


def main() -> None:
    options = parser(__doc__)
    options.add_argument(
        "--content", type=settings(Content, "--content"), required=True, help="JSON or file"
    )
    options.add_argument("--tex", type=Path, required=True, help="the document")
    options.add_argument("--pdf", type=Path, help="the document as PDF")
    arguments = options.parse_args()

    for file in arguments.content.files:
        checked(arguments.tex.parent / file)
    write_text(arguments.tex, document(arguments.content))
    if arguments.pdf:
        compile_pdf(arguments.tex, arguments.pdf)


if __name__ == "__main__":
    command_line(main)
