"""Cutting the power: real block images, copied while a real daemon works on them, and what a daemon finds on the copies.

``make power-test`` is the long run; ``test_images.py`` is a short one, part of ``make test``. ``run.py`` tells the options.
"""
