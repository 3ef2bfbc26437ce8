"""The network of both utilities: assets as a tree, service points as its leaves, places as people name them."""
