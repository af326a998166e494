"""The gallery: one self-contained page to see, hear and sort the artifacts of every upsampler."""
