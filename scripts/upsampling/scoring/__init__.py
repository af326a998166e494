"""From a trained model to scores: separation, BSSEval, records, and their aggregation."""
