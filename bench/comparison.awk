# The results as a table for doc/comparison.md: a line for each peer, with its
# medians and, in brackets, stfl-relay (static) divided by the peer.

function cell(row, peer,   v, r) {
	if (!((row, peer) in median))
		return "-"
	v = median[row, peer]
	v = sprintf(v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v)
	if (peer == "static")
		return "**" v "**"
	r = ratio[row, peer]
	if (r == "-")
		return v
	return v " (" sprintf(r < 0.995 ? "%.2f" : r < 9.95 ? "%.1f" : "%.0f", \
	    r) ")"
}

BEGIN {
	FS = "\t"
	columns = split("setup1 idle down cpu-down rtt hundred", row, " ")
	print "| | set-up, ms | idle, KiB | one stream, GB/s | CPU, s/GB |" \
	    " round trip, us | 100 streams, GB/s |"
	print "|---|---|---|---|---|---|---|"
}
/^#/ || $1 == "row" { next }
!($3 in title) {
	peers[++npeers] = $3
	title[$3] = $4
}
$6 != "-" {
	median[$1, $3] = $6
	ratio[$1, $3] = $9
}
END {
	for (i = 1; i <= npeers; i++) {
		line = "| " title[peers[i]] " |"
		for (j = 1; j <= columns; j++)
			line = line " " cell(row[j], peers[i]) " |"
		print line
	}
}
