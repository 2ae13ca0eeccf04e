"""Boards in text, as the player on their far side sees them."""


def turned(board: str) -> str:
    """A board of rows `8  r n b …` above the letters of the files, turned by half."""
    *rows, files = board.split("\n")
    return "\n".join([*(_turned_row(row) for row in reversed(rows)), _turned_row(files)])


def _turned_row(row: str) -> str:
    """A row behind its number, or the letters of the files."""
    return row[:3] + row[3:][::-1]
