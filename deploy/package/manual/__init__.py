"""The manual pages, made from what the programs say of themselves: `--experimental-dump-help` for their commands, `postern schema` for
proxy.yaml. Nothing is checked in that could be out of date. Standard library only."""
