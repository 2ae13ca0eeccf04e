"""Pictures of a go board."""

COLUMNS = "ABCDEFGHJKLMNOPQRST"
"""The letters of the columns, of which there is no I."""


def draw(size: int, stones: list[str], closed: int | None) -> str:
    """An SVG picture of stones on a wooden board.

    Args:
      size: length of the board's sides.
      stones: for each point, row by row from the bottom, black `X`, white `O` or `.`.
      closed: the point closed by ko, which a small square marks.
    """
    end, full = 40 * size + 10, 40 * size + 60  # the first line is at 50, the last at `end`
    lines = "".join(f"M50 {50 + 40 * k}H{end}M{50 + 40 * k} 50V{end}" for k in range(size))
    names = "".join(
        f'<text x="{50 + 40 * k}" y="{y}">{COLUMNS[k]}</text>'
        f'<text x="{y - 5}" y="{end - 40 * k + 5}">{k + 1}</text>'
        for k in range(size)
        for y in (24, full - 14)
    )
    stars = "".join(
        f'<circle cx="{50 + 40 * x}" cy="{50 + 40 * y}" r="4"/>' for x, y in _stars(size)
    )
    marks = []
    for point, stone in enumerate(stones):
        x, y = 50 + 40 * (point % size), end - 40 * (point // size)
        if point == closed:
            marks.append(f'<path d="M{x - 8} {y - 8}h16v16h-16z" fill="none" stroke="#4a3413"/>')
        elif stone != ".":
            colour = "black" if stone == "X" else "white"
            marks.append(f'<circle cx="{x}" cy="{y}" r="19" fill="url(#{colour})"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {full}" '
        'font-family="sans-serif" font-size="14" text-anchor="middle"><defs>'
        f"{_shade('black', '#6b6b6b', '#0c0c0c')}{_shade('white', '#ffffff', '#d3d0c8')}</defs>"
        f'<rect width="{full}" height="{full}" rx="6" fill="#dcb35c"/>'
        f'<path d="{lines}" stroke="#4a3413"/><g fill="#4a3413">{stars}{names}</g>'
        + "".join(marks)
        + "</svg>"
    )


def _stars(size: int) -> list[tuple[int, int]]:
    """The points that are marked: near the corners, in the middle, on a large board between."""
    if size < 7:
        return []
    near = 3 if size > 11 else 2
    far, middle = size - 1 - near, size // 2
    stars = [(x, y) for x in (near, far) for y in (near, far)]
    if size % 2:
        stars.append((middle, middle))
    if size == 19:
        stars += [(middle, near), (middle, far), (near, middle), (far, middle)]
    return stars


def _shade(name: str, light: str, dark: str) -> str:
    """The gradient of a stone, as SVG."""
    return (
        f'<radialGradient id="{name}" cx=".36" cy=".32" r=".7">'
        f'<stop stop-color="{light}"/><stop offset="1" stop-color="{dark}"/></radialGradient>'
    )
