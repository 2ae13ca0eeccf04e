"""The pages, one file each, with a FastAPI `router`; a file that has an `ENTRY` is in the menu."""
