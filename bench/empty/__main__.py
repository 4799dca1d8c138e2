"""A program without resources."""
