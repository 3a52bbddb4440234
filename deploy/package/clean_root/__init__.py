"""The Debian package in a clean Debian root: installed, tried, upgraded, purged. Linux, root, debootstrap; standard library only."""
