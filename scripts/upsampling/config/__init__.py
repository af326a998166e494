"""Settings: declared once, checked, and resolved for each variant at a scale."""
