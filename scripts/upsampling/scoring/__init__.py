"""From a trained model to scores: separation, BSSEval, score files, aggregation, significance."""
