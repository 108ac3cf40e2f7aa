"""What makes a release of the images. Needs only Python; no part of the package."""
