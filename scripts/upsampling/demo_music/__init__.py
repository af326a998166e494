"""The composer of the demo songs: score, instruments and voice."""
