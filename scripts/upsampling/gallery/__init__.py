"""The gallery: one self-contained page to see, hear and sort what every upsampler does."""
