"""The first room: read the model, the data or the image and return evidence. Judge nothing."""
