"""The command line: entry, console, device."""
