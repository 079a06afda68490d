# Print the goals of stfl-relay, and whether this run met them.  Goals are for
# the static build, unless they say "shared".  Goals for what was not measured
# are left out.

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

# Returns the peer with the lowest median (sense 1) or the highest (sense -1).
# Only peers of these kinds count, and neither stfl-relay nor the floor.
function extreme(row, kinds, sense,   p, best) {
	best = ""
	for (p in kind)
		if (p != "relay" && p != "static" && p != "floor" &&
		    index(kinds, kind[p]) && (row, p) in median &&
		    (best == "" ||
		    sense * (median[row, p] - median[row, best]) < 0))
			best = p
	return best
}
function least(row, kinds) { return extreme(row, kinds, 1) }
function most(row, kinds) { return extreme(row, kinds, -1) }

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
	goal("CPU a GB, x systemd-socket-proxyd", ratio["down-cpu", "proxyd"],
	    "<=", 0.8)
	goal("100 streams down, x systemd-socket-proxyd",
	    ratio["down100", "proxyd"], ">=", 1)
	goal("100 streams down, x haproxy with splice",
	    ratio["down100", "haproxy"], ">=", 1.3)
	goal("100 streams down, the slowest by the mean",
	    median["down100-fair", "static"], ">=", 0.7)
	best = most("down300", "exec")
	if (best != "")
		goal("300 streams down, x the best exec'd peer (" best ")",
		    ratio["down300", best], ">=", 2)
	split("8 50", clients, " ")
	for (i = 1; i <= 2; i++) {
		n = clients[i]
		best = most("ask" n, "exec")
		if (best != "")
			goal("replies to " n " clients, x the best exec'd " \
			    "peer (" best ")", ratio["ask" n, best], ">=", 1.05)
	}
	goal("set-up, x the floor", ratio["setup1", "floor"], "<=", 1.18)
	best = least("setup1", "exec")
	if (best != "") {
		goal("set-up, x the best exec'd peer (" best ")",
		    ratio["setup1", best], "<=", 0.52)
		if (ratio["setup1", "relay"] > 0)
			goal("set-up, shared, x the best exec'd peer (" best \
			    ")", ratio["setup1", best] / \
			    ratio["setup1", "relay"], "<=", 1)
	}
	goal("set-up, x xinetd redirect", ratio["setup1", "xinetd"], "<=", 1)
	goal("idle session, x the floor", ratio["idle", "floor"], "<=", 1.1)
	goal("idle session, all memory, x the floor",
	    ratio["idle-all", "floor"], "<=", 1.25)
	goal("idle session, x nc", ratio["idle", "nc"], "<=", 0.6)
	goal("idle session, x socat", ratio["idle", "socat"], "<=", 0.2)
	goal("idle session, KiB", median["idle", "static"], "<=", 60)
	best = least("rtt", "exec daemon")
	if (best != "")
		goal("round trip, x the best peer (" best ")",
		    ratio["rtt", best], "<=", 1)
	if (median["held5000", "static"] > 0)
		goal("set-up, 0 held by 5000 held", median["held0", \
		    "static"] / median["held5000", "static"], ">=", 0.75)
	goal("size, shared, KiB", median["size", "relay"], "<=", 44)
	goal("size, static, KiB", median["size", "static"], "<=", 96)
}
