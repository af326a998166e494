"""What a reader looks at: figures and tables, made from arrays and scores, never from a model."""
