# The goals of stfl-relay (the static build, unless a goal says "shared"), and
# whether this run met them.  Goals for what was not measured are left out.

function goal(name, figure, sense, limit) {
	if (figure == "" || figure == "-")
		return
	figure += 0
	if (!ngoals++)
		print "\ngoals"
	met = figure == limit || (figure < limit) == (sense == "<=")
	printf "  %-6s %-58s %7.3g %s %s\n", met ? "met" : "MISSED", name,
	    figure, sense, limit
}

# The peer of these kinds with the lowest median; not stfl-relay or the floor.
function least(row, kinds,   p, best) {
	best = ""
	for (p in kind)
		if (p != "relay" && p != "static" && p != "floor" &&
		    index(kinds, kind[p]) && (row, p) in median &&
		    (best == "" || median[row, p] < median[row, best]))
			best = p
	return best
}

BEGIN { FS = "\t" }
/^#/ || $1 == "row" || $6 == "-" { next }
{
	median[$1, $3] = $6
	ratio[$1, $3] = $9
	kind[$3] = $5
}

END {
	goal("one stream down, x systemd-socket-proxyd",
	    ratio["down", "proxyd"], ">=", 1.15)
	goal("one stream down, x socat", ratio["down", "socat"], ">=", 2.2)
	goal("one stream down, x redir", ratio["down", "redir"], ">=", 1.5)
	goal("one stream down, x xinetd redirect", ratio["down", "xinetd"],
	    ">=", 8)
	goal("CPU a GB, x systemd-socket-proxyd", ratio["cpu-down", "proxyd"],
	    "<=", 0.8)
	goal("set-up, x the floor", ratio["setup1", "floor"], "<=", 1.35)
	best = least("setup1", "exec")
	if (best != "") {
		goal("set-up, x the best exec'd peer (" best ")",
		    ratio["setup1", best], "<=", 0.5)
		if (ratio["setup1", "relay"] > 0)
			goal("set-up, shared, x the best exec'd peer (" best \
			    ")", ratio["setup1", best] / \
			    ratio["setup1", "relay"], "<=", 1.1)
	}
	goal("set-up, x xinetd redirect", ratio["setup1", "xinetd"], "<=", 1)
	goal("idle session, x the floor", ratio["idle", "floor"], "<=", 1.25)
	goal("idle session, x nc", ratio["idle", "nc"], "<=", 0.6)
	goal("idle session, x socat", ratio["idle", "socat"], "<=", 0.2)
	goal("idle session, KiB", median["idle", "static"], "<=", 60)
	best = least("rtt", "exec daemon")
	if (best != "")
		goal("round trip, x the best peer (" best ")",
		    ratio["rtt", best], "<=", 1.05)
	if (median["held-5000", "static"] > 0)
		goal("set-up, 0 held by 5000 held", median["held-0", \
		    "static"] / median["held-5000", "static"], ">=", 0.75)
	goal("size, shared, KiB", median["size", "relay"], "<=", 40)
	goal("size, static, KiB", median["size", "static"], "<=", 96)
}
