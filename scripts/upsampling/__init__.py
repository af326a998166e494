"""Upsampling artifacts in neural audio synthesis: operators, models, measurements, training.

The paper is Pons, Pascual, Cengarle and Serrà, *Upsampling artifacts in neural audio synthesis*,
ICASSP 2021 (arXiv:2010.14356); "Sec.", "Fig." and "Table" in docstrings refer to it.
"""
