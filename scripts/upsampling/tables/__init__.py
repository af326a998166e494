"""Tables 1 and 2 as CSV, Markdown, LaTeX and HTML."""
