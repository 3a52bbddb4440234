"""Counting what a program does, instead of timing it: instructions and calls of the allocator, by callgrind."""
