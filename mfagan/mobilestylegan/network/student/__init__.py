"""The student that predicts the wavelet transform of an image, and its slices."""
