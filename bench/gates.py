# SPDX-License-Identifier: Apache-2.0
# Copyright the autoenroll authors.
"""What the lines of bench/run are held against.  Ratios to a peer in the same minutes wherever there is one: they travel
between machines."""
import statistics


def middle(values):
    return statistics.median(values) if values else float("nan")


def three(values):
    """Median, least, most."""
    return (middle(values), min(values), max(values)) if values else None


class Gate:
    """One row: what, its value with extremes, and the bound it is held against."""

    def __init__(self, bench, what, value, bound, most=True, unit=""):
        self.bench, self.what, self.value, self.bound, self.most, self.unit = bench, what, value, bound, most, unit
        self.good = value[0] <= bound if most else value[0] >= bound

    def bound_text(self):
        return f"{'≤' if self.most else '≥'} {self.bound:g}{self.unit}"

    def value_text(self):
        mid, least, most = (f"{v:,.0f}" if abs(v) >= 100 else f"{v:.3g}" for v in self.value)
        return (mid if mid == least == most else f"{mid} ({least}–{most})") + self.unit


def pairs(lines, keys):
    """Lines in groups by these keys."""
    groups = {}
    for x in lines:
        groups.setdefault(tuple(x.get(k) for k in keys), []).append(x)
    return groups


def ratios(ours, theirs, value):
    """Of windows with the same number."""
    peer = {x["pair"]: x[value] for x in theirs}
    return [x[value] / peer[x["pair"]] for x in ours if peer.get(x["pair"])]


def cpu(x):
    """Of one enrollment, client and server."""
    return x["server_cpu_us"] + x["client_cpu_us"]


def cpu_ratios(ours, theirs):
    """What the rates would be to each other if both had the whole machine: of CPU time, which others' work disturbs less."""
    peer = {x["pair"]: cpu(x) for x in theirs}
    return [peer[x["pair"]] / cpu(x) for x in ours if x["pair"] in peer and cpu(x)]


def b1(lines):
    groups = pairs([x for x in lines if x["bench"] == "B1"], ("key", "way"))
    bound = {"p256": 0.35, "rsa2048": 0.8}
    for (key, way), v in groups.items():
        found = ratios(v, groups.get((key, "cfssl"), []), "rate")
        if way != "cfssl" and found and key in bound:
            yield Gate("B1", f"{key}, {way}: rate to cfssl's", three(found), bound[key], most=False)
        found = cpu_ratios(v, groups.get((key, "cfssl"), []))
        if way != "cfssl" and found and key in bound:
            yield Gate("B1", f"{key}, {way}: the same by CPU time", three(found), bound[key], most=False)
        if way != "cfssl" and key == "rsa4096":
            yield Gate("B1", f"{key}, {way}: rate to the sign limit", three([x["rate"] / x["sign_all"] for x in v]), 0.65,
                       most=False)


def b2(lines):
    rows = [x for x in lines if x["bench"] == "B2" and x["impl"] == "autoenroll" and "p50_ms" in x]
    # on the machine where the aims were written an unloaded enrollment took 1.8 ms: as parts of the lightest load's median
    for (key,), v in pairs(rows, ("key",)).items():
        plain = pairs([x for x in v if "crl" not in x], ("part",))
        if (0.25,) not in plain:
            continue
        base = middle([x["p50_ms"] for x in plain[(0.25,)]])
        for part, name, bound in ((0.5, "p50_ms", 3 / 1.8), (0.5, "p99_ms", 15 / 1.8), (0.8, "p99_ms", 50 / 1.8)):
            got = [x[name] / base for x in plain.get((part,), [])]
            if got:
                yield Gate("B2", f"{key}, {part:.0%} load: {name[:3]} to the unloaded median", three(got), round(bound, 1))
        longest = [x["max_ms"] for x in v]
        yield Gate("B2", f"{key}: the longest of all", (max(longest), min(longest), max(longest)), 1000, unit=" ms")
        crl = [x["p99_ms"] / middle([y["p99_ms"] for y in plain.get((0.5,), [])]) for x in v if "crl" in x and (0.5,) in plain]
        if crl:
            yield Gate("B2", f"{key}, 50 % load: p99 while a CRL is built to p99 without", three(crl), 1.5)


def b3(lines):
    rows = {(x["case"], x["impl"] == "autoenroll"): x for x in lines if x["bench"] == "B3"}
    for case, bound in (("a", 1.36), ("b", 0.4)):
        ours, peer = rows.get((case, True)), rows.get((case, False))
        if ours and peer:
            r = ours["wall_ms"] / peer["wall_ms"]
            yield Gate("B3", f"({case}) wall time to the peer's", (r, r, r), bound)


def b4(lines):
    rows = [x for x in lines if x["bench"] == "B4"]
    for (impl, db, what), v in pairs(rows, ("impl", "db", "what")).items():
        v = sorted(v, key=lambda x: x["size"])
        if impl != "autoenroll" or len(v) < 2:
            continue
        small, large = v[0], v[-1]
        span = f"{large['size']:,} to {small['size']:,} rows"
        if what == "enrollment":
            for p, bound in (("p50_us", 1.2), ("p99_us", 2)):
                r = large[p] / small[p]
                yield Gate("B4", f"{db}: enrollment, {p[:3]}, {span}", (r, r, r), bound)
        elif what == "start":
            more = (large["p50_us"] - small["p50_us"]) / 1e3
            yield Gate("B4", f"{db}: start, {span}", (more, more, more), 20, unit=" ms")
        else:
            p50 = [x["p50_us"] / 1e3 for x in v]
            yield Gate("B4", f"{db}: {what}, any size", (max(p50), min(p50), max(p50)), 0.5, unit=" ms")


def b5(lines):
    rows = [x for x in lines if x["bench"] == "B5" and x["impl"] == "autoenroll"]
    peer = [x for x in lines if x["bench"] == "B5" and x["impl"] != "autoenroll"]
    if rows:
        yield Gate("B5", "memory of a connection", three([x["user_kb_each"] for x in rows]), 12, unit=" KB")
        yield Gate("B5", "CPU of all when idle", three([x["cpu_percent"] for x in rows]), 1, unit=" %")
        yield Gate("B5", "p99 beside them to p99 alone", three([x["with_p99_ms"] / x["alone_p99_ms"] for x in rows]), 1.2)
    if rows and peer:
        yield Gate("B5", "memory to Samba's, whose are anonymous", three(ratios(rows, peer, "user_kb_each")), 1)


def b6(lines):
    rows = [x for x in lines if x["bench"] == "B6"]
    base = [x for x in rows if x["list"] == "base" and "openssl" not in x["impl"]]
    peer = [x for x in rows if "openssl" in x["impl"]]
    if base and peer:
        cpu = "cpu_seconds" if all("cpu_seconds" in x for x in base + peer) else "seconds"
        theirs = middle([x[cpu] for x in peer])
        yield Gate("B6", f"base CRL of {base[0]['entries']:,}: {cpu.replace('_', ' ')} to openssl's",
                   three([x[cpu] / theirs for x in base]), 0.2)
    if base:
        yield Gate("B6", "memory on top", three([x["rss_delta_kb"] / 1024 for x in base]), 8, unit=" MB")


def b7(lines):
    rows = [x for x in lines if x["bench"] == "B7" and x["impl"] == "autoenroll"]
    for what, bound, unit, value in (
            ("allowed", 300, " ns", lambda x: x["ns"] if x["sids"] == 256 else None),
            ("200 templates", 100, " µs", lambda x: x["ns"] / 1e3),
            ("nothing changed", 1, " messages", lambda x: x["ldap_messages"]),
            ("requests, all known", 0, " LDAP messages a request",
             lambda x: max(0, x["ldap_messages"] - x["refreshes"] * x["messages_of_a_quiet_refresh"]) / x["requests"])):
        got = [y for y in (value(x) for x in rows if x["what"] == what) if y is not None]
        if got:
            yield Gate("B7", {"allowed": "a check, 12 ACEs, 256 SIDs"}.get(what, what), three(got), bound, unit=unit)


def b8(lines):
    for x in lines:
        if x["bench"] == "B8" and x.get("program") == "certsrvd":
            yield Gate("B8", "certsrvd, stripped", (x["stripped_kb"],) * 3, 1536, unit=" KB")
        if x["bench"] == "B8" and x.get("program") in ("autoenroll", "autoenrolld"):
            yield Gate("B8", f"{x['program']}, stripped", (x["stripped_kb"],) * 3, 500, unit=" KB")
        if x["bench"] == "B8" and x.get("what") == "idle memory":
            yield Gate("B8", "certsrvd idle, PSS of all", (x["pss_kb"] / 1024,) * 3, 20, unit=" MB")


def all_of(lines):
    return [g for f in (b1, b2, b3, b4, b5, b6, b7, b8) for g in f(lines)]
