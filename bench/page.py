# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""One page for a person: gates first, then a plot or a table for each benchmark, then the machine.  Nothing is fetched from
elsewhere and nothing runs in it."""
import datetime

import gates
from gates import middle, pairs, three
from svg import bars, esc, lines

STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5c6b7a; --paper: #fff; --line: #dde3e9;
        --c0: #2267b5; --c1: #d3702a; --c2: #3a8f5c; --c3: #8a56a8; --c4: #b8323f; --c5: #6b7a1f; --c6: #2a8f9e; --c7: #7a6a5a; --c8: #c2458c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --soft: #9aa8b5; --paper: #14191f; --line: #2c353f;
        --c0: #6ba6e8; --c1: #eb9a5e; --c2: #72c294; --c3: #bb90d6; --c4: #e8737e; --c5: #b6c45e; --c6: #6fc7d4; --c7: #b5a594; --c8: #ec8cc0; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1000px;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .3rem; }
p { margin: .3rem 0 .8rem; } .soft { color: var(--soft); }
table { border-collapse: collapse; margin: .6rem 0 1rem; font-size: .92em; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: .22rem .7rem .22rem 0;
     border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.yes, td.no { white-space: nowrap; } td.yes { color: var(--c2); font-weight: 600; } td.no { color: var(--c4); font-weight: 600; }
svg { width: 100%; height: auto; display: block; margin: .6rem 0; font: 12px system-ui, sans-serif; }
svg text { fill: var(--soft); } svg .title { fill: var(--ink); font-weight: 600; font-size: 13px; }
svg .value { fill: var(--ink); font-size: 11px; } svg .grid { stroke: var(--line); } svg .span { stroke: var(--ink); }
svg .gate { stroke: var(--c4); stroke-dasharray: 5 4; } svg text.gate { fill: var(--c4); stroke: none; }
svg path { fill: none; stroke-width: 2; }
""" + "".join(f"svg .s{i} {{ fill: var(--c{i}); }} svg .l{i} {{ stroke: var(--c{i}); }} svg text.t{i} {{ fill: var(--c{i}); }}\n"
              for i in range(9))


def table(head, rows):
    """rows of cells; a cell is text, or (class, text)."""
    def cell(tag, c):
        kind, text = c if isinstance(c, tuple) else ("", c)
        return f'<{tag}{f" class={kind}" if kind else ""}>{esc(text)}</{tag}>'
    out = ["<table><tr>" + "".join(cell("th", h) for h in head) + "</tr>"]
    out += ["<tr>" + "".join(cell("td", c) for c in row) + "</tr>" for row in rows]
    return "\n".join(out) + "</table>"


def n(value, digits=3):
    return "n", "" if value is None else f"{value:,.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def b1(x):
    groups = pairs(x, ("key", "way"))
    keys = list(dict.fromkeys(k for k, _ in groups))
    names = {"cfssl": "cfssl serve", "dcom": "DCOM", "icpr": "ICPR"}
    rows = []
    for (key, way), v in groups.items():
        ratio = three(gates.ratios(v, groups.get((key, "cfssl"), []), "rate")) if way != "cfssl" else None
        by_cpu = gates.cpu_ratios(v, groups.get((key, "cfssl"), [])) if way != "cfssl" else None
        rows.append([key, names.get(way, way), n(middle([y["rate"] for y in v])),
                     ("n", f"{ratio[0]:.2f} ({ratio[1]:.2f}–{ratio[2]:.2f})" if ratio else ""),
                     n(middle(by_cpu) if by_cpu else None),
                     n(middle([y["rate"] / y["sign_all"] for y in v])), n(middle([y["p50_ms"] for y in v])),
                     n(middle([y["p99_ms"] for y in v])), n(middle([y["server_cpu_us"] for y in v])),
                     n(middle([y["client_cpu_us"] for y in v])), n(sum(y["errors"] for y in v))])
    plot = bars("Enrollments a second, 16 clients; median, least and most of the windows", "1/s",
                [(k, [(names.get(w, w), *three([y["rate"] for y in groups[(k, w)]])) for kk, w in groups if kk == k])
                 for k in keys])
    return "Throughput of the CA", "Whole enrollments: connections, Kerberos, activation, request, durable commits, sealed " \
        "answer. cfssl serve neither authenticates nor stores. By CPU: cfssl's CPU time of a certificate, client and server, to " \
        "ours, which other work on the machine disturbs less than rates.", plot + table(
            ["CA key", "who", ("n", "1/s"), ("n", "to cfssl"), ("n", "by CPU"), ("n", "to sign limit"), ("n", "p50 ms"), ("n", "p99 ms"),
             ("n", "server CPU µs"), ("n", "client CPU µs"), ("n", "errors")], rows)


def b2(x):
    rows = [y for y in x if "p50_ms" in y]
    out = []
    for (key,), v in pairs(rows, ("key",)).items():
        plain = pairs([y for y in v if "crl" not in y], ("impl", "part"))
        series = []
        for impl in dict.fromkeys(i for i, _ in plain):
            for name in ("p50_ms", "p99_ms", "p999_ms"):
                pts = [(100 * part, middle([y[name] for y in w])) for (i, part), w in plain.items() if i == impl]
                series.append((f"{impl} {name[:-3].replace('p999', 'p99.9')}", pts))
        out.append(lines(f"Latency from the due time, CA key {key}", "ms", series, "per cent of our own throughput"))
        out.append(table(["who", ("n", "load"), ("n", "asked 1/s"), ("n", "p50 ms"), ("n", "p99 ms"), ("n", "p99.9 ms"),
                          ("n", "longest ms"), ("n", "errors")],
                         [[w[0]["impl"] + (f", CRL of {crl:,} being built" if crl else ""), ("n", f"{part:.0%}"),
                           n(middle([y["asked"] for y in w])), *[n(middle([y[k] for y in w])) for k in
                                                                 ("p50_ms", "p99_ms", "p999_ms", "max_ms")],
                           n(sum(y["errors"] for y in w))]
                          for (impl, part, crl), w in pairs(v, ("impl", "part", "crl")).items()]))
    return "Latency under load", "Requests arrive by chance (Poisson), answered or not; time counts from when a request was " \
        "due. cfssl gets the same absolute rate.", "".join(out)


def b3(x):
    x = sorted(x, key=lambda y: y["case"])
    cases = {"a": "(a) nothing to do", "b": "(b) one template, P-256", "c": "(c) one template, RSA-2048"}
    groups = [(cases.get(c, c), [("autoenroll" if y["impl"] == "autoenroll" else "peer", y["wall_ms"], y["wall_min_ms"],
                                  y["wall_ms"]) for y in v]) for (c,), v in pairs(x, ("case",)).items()]
    rows = [[cases.get(y["case"], y["case"]), y["impl"], n(y["wall_ms"]), n(y["wall_min_ms"]), n(y.get("cpu_ms")),
             n(y.get("rss_kb")), n(y.get("ldap_round_trips"))] for y in x]
    return "A client's pulse", "One run of a cold process.", bars("Wall time", "ms", groups) + table(
        ["case", "who", ("n", "wall ms"), ("n", "least"), ("n", "CPU ms"), ("n", "RSS KB"), ("n", "LDAP round trips")], rows)


def b4(x):
    series = []
    for (impl, db, what), v in pairs(x, ("impl", "db", "what")).items():
        name = f"{what}" + (f", {db}" if db and db != "sqlite" else "") if impl == "autoenroll" else "openssl ca"
        series.append((name, [(y["size"], y["p50_us"]) for y in v]))
    rows = [[y["impl"] + (f", {y['db']}" if "db" in y else ""), y["what"], n(y["size"]), n(y["p50_us"]), n(y["p99_us"])] for y in x]
    return "Growth of the database", "What one operation takes as the table grows; openssl ca keeps its table as text.", \
        lines("Median of an operation", "µs", series, "rows", height=420) + "<details><summary>All figures</summary>" + table(
            ["who", "operation", ("n", "rows"), ("n", "p50 µs"), ("n", "p99 µs")], rows) + "</details>"


def b5(x):
    groups = [(impl, [("user memory", *three([y["user_kb_each"] for y in v])),
                      ("kernel, both ends", *three([y["kernel_kb_each_both_ends"] for y in v]))])
              for (impl,), v in pairs(x, ("impl",)).items()]
    rows = [[y["impl"], n(y["connections"]), n(y["user_kb_each"]), n(y["kernel_kb_each_both_ends"]), n(y["cpu_percent"]),
             n(y.get("alone_p99_ms")), n(y.get("with_p99_ms"))] for y in x]
    return "Idle connections", "Ours are authenticated and sealed; Samba's endpoint mapper's are anonymous.", bars(
        "Memory of one connection", "KB", groups, gate=(12, "12 KB of user memory")) + table(
            ["who", ("n", "connections"), ("n", "user KB each"), ("n", "kernel KB each"), ("n", "CPU % idle"),
             ("n", "p99 ms alone"), ("n", "p99 ms beside them")], rows)


def b6(x):
    groups = pairs(x, ("impl", "list", "entries"))
    plot = bars("Time for a CRL", "s", [(f"{k}, {e:,}", [("openssl" if "openssl" in i else "ours",
                                                        *three([y["seconds"] for y in v]))])
                                        for (i, k, e), v in groups.items()], log=True)
    return "CRL of many", "Read from the database by pages, judged, signed, written and synced.", plot + table(
        ["who", "list", ("n", "entries"), ("n", "s"), ("n", "CPU s"), ("n", "memory KB")],
        [[i, k, n(e), n(middle([y["seconds"] for y in v])), n(middle([y["cpu_seconds"] for y in v if "cpu_seconds" in y])
          if any("cpu_seconds" in y for y in v) else None), n(middle([y["rss_delta_kb"] for y in v]))]
         for (i, k, e), v in groups.items()])


def b7(x):
    checks = [y for y in x if y["what"] == "allowed"]
    groups = [(f"{aces} ACEs, {sids} SIDs", [(i, *three([y["ns"] for y in v])) for (i,), v in pairs(w, ("impl",)).items()])
              for (aces, sids), w in pairs(checks, ("aces", "sids")).items()]
    rows = [[y["what"], n(y["ldap_messages"]), n(y.get("ms")), n(y.get("bytes")), n(y.get("requests")), n(y.get("refreshes"))]
            for y in x if "ldap_messages" in y]
    return "Access checks and the template cache", "A check with a parsed descriptor and a token made once. Below: LDAP " \
        "messages of the CA's directory process while this happened.", bars(
            "One access check", "ns", groups, log=True, gate=(300, "300 ns")) + table(
            ["meanwhile", ("n", "LDAP messages"), ("n", "ms"), ("n", "bytes"), ("n", "requests"), ("n", "refreshes")], rows)


def b8(x):
    rows = [[", ".join(f"{k} {v}" for k, v in y.items() if k not in ("bench", "time"))] for y in x]
    return "Footprint", "", table(["what"], rows)


SECTIONS = {"B1": b1, "B2": b2, "B3": b3, "B4": b4, "B5": b5, "B6": b6, "B7": b7, "B8": b8}


def machine(x):
    rows = []
    for (name,), v in pairs([{"name": k, "value": y[k]} for y in x for k in y if k.startswith(("sign ", "verify ", "fsync"))],
                            ("name",)).items():
        t = three([y["value"] for y in v])
        rows.append([name, n(t[0]), n(t[1]), n(t[2])])
    about = next((y["about"] for y in x if "about" in y), "")
    return f"<p>{esc(about)}</p>" + table(["a second", ("n", "median"), ("n", "least"), ("n", "most")], rows)


def page(found):
    load = [y["loadavg"] for y in found if "loadavg" in y]
    times = sorted(y["time"] for y in found if "time" in y)
    marked = sum(v > 0.3 for v in load)
    rows = [[g.bench, g.what, ("n", g.value_text()), ("n", g.bound_text()), ("yes", "met") if g.good else ("no", "not met")]
            for g in gates.all_of(found)]
    out = ['<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
           f'content="width=device-width, initial-scale=1"><title>autoenroll benchmarks</title><style>{STYLE}</style></head>'
           '<body><h1>autoenroll benchmarks</h1>']
    if times:
        out.append(f'<p class="soft">{esc(times[0])} to {esc(times[-1])}, {len(found)} lines; page made '
                   f'{datetime.date.today().isoformat()}.</p>')
    if load:
        out.append(f"<p>Load average before a window: median {middle(load):.1f}, {min(load):.1f} to {max(load):.1f}; {marked} of "
                   f"{len(load)} windows began above 0.3 and are to be repeated on an idle machine. Ratios to a peer in the "
                   "same minutes mean more than rates.</p>")
    if rows:
        out.append("<h2>Gates</h2><p>Median (least–most) beside the bound.</p>")
        out.append(table(["", "what", ("n", "measured"), ("n", "bound"), ""], rows))
    for name, section in SECTIONS.items():
        own = [y for y in found if y["bench"] == name]
        if own:
            title, text, body = section(own)
            out.append(f"<h2>{name}: {esc(title)}</h2><p>{esc(text)}</p>{body}")
    own = [y for y in found if y["bench"] == "machine"]
    if own:
        out.append(f"<h2>The machine</h2>{machine(own)}")
    return "\n".join(out) + "</body></html>\n"
