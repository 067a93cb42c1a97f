"""Pictures of a training as SVG: lines over two axes."""

from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 480, 360, 56, 34, 28, 44
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22",
           "#17becf", "#ff7f0e")
TICKS = 5
POINTS_MAX = 1000


def thinned(points):
    step = -(-len(points) // POINTS_MAX)
    return points if step <= 1 else points[::step] + points[-1:]


def number_text(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def line_chart(title, names, lines, limits):
    """`names` are those of the axes; `lines` are (name, [(x, y), …]) and `limits` (x0, x1, y0,
    y1)."""
    x0, x1, y0, y1 = limits
    inner = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)

    def place(x, y):
        return (LEFT + inner[0] * (x - x0) / ((x1 - x0) or 1),
                TOP + inner[1] * (1 - (y - y0) / ((y1 - y0) or 1)))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="11">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           f'<text x="{LEFT}" y="20" font-size="14">{escape(title)}</text>']
    for number in range(TICKS + 1):
        part = number / TICKS
        x, _ = place(x0 + part * (x1 - x0), y0)
        _, y = place(x0, y0 + part * (y1 - y0))
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" '
                   'stroke="#e0e0e0" fill="none"/>')
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">'
                   f'{number_text(x0 + part * (x1 - x0))}</text>')
        out.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">'
                   f'{number_text(y0 + part * (y1 - y0))}</text>')
    out.append(f'<text x="{LEFT + inner[0] / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
               f'{escape(names[0])}</text>')
    out.append(f'<text transform="translate(13 {TOP + inner[1] / 2}) rotate(-90)" '
               f'text-anchor="middle">{escape(names[1])}</text>')
    # The names stand where the lines are not: on the left when they rise.
    rising = sum(points[-1][1] - points[0][1] for _, points in lines) > 0
    names_at = f'x="{LEFT + 6}"' if rising else f'x="{WIDTH - RIGHT - 4}" text-anchor="end"'
    for number, (name, points) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in thinned(points))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        if name and number < len(COLOURS):
            out.append(f'<text {names_at} y="{TOP + 14 + 13 * number}" fill="{colour}">'
                       f'{escape(name)}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"
