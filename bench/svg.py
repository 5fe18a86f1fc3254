# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""Plots as SVG text: bars with their extremes, and lines over logarithmic axes.  Colours are classes of the page's style."""
import html
import math

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 30, 52


def esc(text):
    return html.escape(str(text), quote=True)


def short(v):
    """A number as a person reads it."""
    if v == 0:
        return "0"
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(v) >= limit:
            return f"{v / (1e3 if limit == 1e4 else limit):.3g}{unit}"
    return f"{v:,.0f}" if abs(v) >= 100 else f"{v:.3g}"


def ticks(low, high, log):
    if log:
        return [10.0 ** k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    step = 10 ** math.floor(math.log10(high or 1))
    step = step / 5 if high / step < 2 else step / 2 if high / step < 5 else step
    return [i * step for i in range(int(high / step) + 2)]


class Plot:
    """An area with a vertical axis; y() maps values to it."""

    def __init__(self, title, low, high, log, unit, height=HEIGHT):
        self.log, self.height = log, height
        marks = ticks(low, high, log)
        self.low, self.high = marks[0], marks[-1]
        self.out = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{esc(title)}">',
                    f'<text class="title" x="{LEFT}" y="16">{esc(title)}</text>',
                    f'<text class="unit" x="{LEFT - 6}" y="16" text-anchor="end">{esc(unit)}</text>']
        for m in marks:
            y = self.y(m)
            self.out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(m)}</text>')

    def y(self, v):
        f = math.log10 if self.log else float
        low, high = f(self.low), f(self.high)
        part = (f(max(v, self.low)) - low) / ((high - low) or 1)
        return self.height - BOTTOM - part * (self.height - BOTTOM - TOP)

    def gate(self, v, text):
        y = self.y(v)
        self.out.append(f'<line class="gate" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                        f'<text class="gate" x="{LEFT + 4}" y="{y - 4:.1f}">{esc(text)}</text>')

    def legend(self, names):
        x = LEFT
        for i, name in enumerate(names):
            self.out.append(f'<rect class="s{i}" x="{x}" y="{self.height - 14}" width="10" height="10"/>'
                            f'<text class="tick" x="{x + 14}" y="{self.height - 5}">{esc(name)}</text>')
            x += 26 + 7 * len(name)

    def text(self):
        return "\n".join([*self.out, "</svg>"])


def bars(title, unit, groups, log=False, gate=None):
    """groups: [(label, [(series, median, least, most)])]; gate: (value, text)."""
    values = [v for _, row in groups for _, *three in row for v in three if v is not None]
    if not values:
        return ""
    high = max(values + ([gate[0]] if gate else []))
    low = min(v for v in values if v > 0) if log else 0
    p = Plot(title, low, high, log, unit)
    names = list(dict.fromkeys(s for _, row in groups for s, *_ in row))
    room = (WIDTH - LEFT - RIGHT) / len(groups)
    for g, (label, row) in enumerate(groups):
        wide = min(room * 0.8 / len(row), 60)
        begin = LEFT + room * (g + 0.5) - wide * len(row) / 2
        for i, (series, mid, least, most) in enumerate(row):
            x, y = begin + i * wide, p.y(mid)
            p.out.append(f'<rect class="s{names.index(series)}" x="{x + 1:.1f}" y="{y:.1f}" width="{wide - 2:.1f}" '
                         f'height="{p.height - BOTTOM - y:.1f}"><title>{esc(label)}, {esc(series)}: {short(mid)} '
                         f'({short(least)} to {short(most)})</title></rect>')
            middle = x + wide / 2
            p.out.append(f'<line class="span" x1="{middle:.1f}" x2="{middle:.1f}" y1="{p.y(least):.1f}" y2="{p.y(most):.1f}"/>'
                         f'<text class="value" x="{middle:.1f}" y="{min(y, p.y(most)) - 4:.1f}" text-anchor="middle">'
                         f'{short(mid)}</text>')
        p.out.append(f'<text class="tick" x="{LEFT + room * (g + 0.5):.1f}" y="{p.height - BOTTOM + 16}" '
                     f'text-anchor="middle">{esc(label)}</text>')
    if gate:
        p.gate(*gate)
    p.legend(names)
    return p.text()


def lines(title, unit, series, xlabel, gate=None, height=360):
    """series: [(name, [(x, y)])]; both axes logarithmic."""
    series = [(n, sorted(pts)) for n, pts in series if pts]
    if not series:
        return ""
    xs = [x for _, pts in series for x, _ in pts]
    ys = [y for _, pts in series for _, y in pts if y > 0]
    p = Plot(title, min(ys), max(ys + ([gate[0]] if gate else [])), True, unit, height)
    low, high = math.log10(min(xs)), math.log10(max(xs))

    def at(x):
        return LEFT + 20 + (math.log10(x) - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT - 180)
    for x in sorted(set(xs)):
        p.out.append(f'<text class="tick" x="{at(x):.1f}" y="{height - BOTTOM + 16}" text-anchor="middle">{short(x)}</text>')
    p.out.append(f'<text class="unit" x="{LEFT + 20}" y="{height - BOTTOM + 32}">{esc(xlabel)}</text>')
    names = []
    for i, (name, pts) in enumerate(series):
        d = " ".join(f"{'M' if k == 0 else 'L'}{at(x):.1f} {p.y(y):.1f}" for k, (x, y) in enumerate(pts))
        p.out.append(f'<path class="l{i % 9}" d="{d}"/>')
        for x, y in pts:
            p.out.append(f'<circle class="s{i % 9}" cx="{at(x):.1f}" cy="{p.y(y):.1f}" r="3"><title>{esc(name)}: {short(x)}: '
                         f'{short(y)}</title></circle>')
        names.append((p.y(pts[-1][1]), i, name, at(pts[-1][0])))
    last = -99  # names beside the ends of their lines, never over one another
    for y, i, name, x in sorted(names):
        y = max(y, last + 13)
        last = y
        p.out.append(f'<text class="t{i % 9}" x="{x + 8:.1f}" y="{y + 4:.1f}">{esc(name)}</text>')
    if gate:
        p.gate(*gate)
    return p.text()
