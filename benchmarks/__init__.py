"""Measurements of OpenDRS against C references of the same method, side by side in one run.

`make bench`, or `python -m benchmarks [NAME ...] [--scale S] [--runs N]`; see README.md here.
"""
