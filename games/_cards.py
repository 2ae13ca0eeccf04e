"""Pictures of playing cards on a green table."""

_BACK = (
    '<rect width="110" height="160" rx="12" fill="#2c5aa0" stroke="#fff" stroke-width="6"/>'
    '<path d="M20 20h70v120h-70zM20 80L55 20L90 80L55 140z" '
    'fill="none" stroke="#9db4d6" stroke-width="3"/>'
)


def _card(face: str) -> str:
    """A card of 110 by 160, its upper left corner at (0, 0); face down if `face` is empty."""
    if not face:
        return _BACK
    colour = "#d8433b" if face[-1] in "♥♦" else "#222"
    return (
        '<rect width="110" height="160" rx="12" fill="#fffdf7" stroke="#ccc" stroke-width="2"/>'
        f'<g fill="{colour}"><text x="55" y="62" font-size="64">{face[0]}</text>'
        f'<text x="55" y="118" font-size="48">{face[1:]}</text></g>'
    )


def table(cards: dict[str, str], lines: list[str]) -> str:
    """An SVG picture of cards side by side, with lines of text below.

    Args:
      cards: from what is written above a card to its face, as in `K♠`; empty for its back.
      lines: what is written below, one under the other.
    """
    width, height = 600, 270 + 34 * len(lines)
    left = (width - 170 * len(cards)) / 2 + 30
    parts = [
        f'<g transform="translate({left + 170 * k:g} 70)">'
        f'<text x="55" y="-28" font-size="22" fill="#cfe3d4">{above}</text>{_card(face)}</g>'
        for k, (above, face) in enumerate(cards.items())
    ]
    parts += [
        f'<text x="300" y="{270 + 34 * k}" font-size="22" fill="#fff">{line}</text>'
        for k, line in enumerate(lines)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" text-anchor="middle" dominant-baseline="central">'
        f'<rect width="{width}" height="{height}" rx="24" fill="#2f6b47"/>{"".join(parts)}</svg>'
    )
