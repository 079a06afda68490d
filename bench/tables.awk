# Print results as a table with a line for each peer.  The line has the peer's
# medians and, in brackets, the value of stfl-relay (static) divided by the
# peer's.  -v rows="setup1 down" says which rows of the results are the columns
# of the table.  Rows that were not measured are left out.

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
	columns = split(rows, row, " ")
	heading["setup1"] = "set-up, ms"
	heading["idle"] = "idle, KiB"
	heading["idle-all"] = "idle, all memory, KiB"
	heading["down"] = "one stream, GB/s"
	heading["down-cpu"] = "CPU, s/GB"
	heading["rtt"] = "round trip, us"
	heading["down100"] = "100 streams, GB/s"
}
/^#/ || $1 == "row" { next }
!($3 in title) {
	peers[++npeers] = $3
	title[$3] = $4
}
$6 != "-" {
	median[$1, $3] = $6
	ratio[$1, $3] = $9
	unit[$1] = $2
}
END {
	line = "| |"
	under = "|---|"
	for (i = j = 1; j <= columns; j++)
		if (row[j] in unit)
			row[i++] = row[j]
	columns = i - 1
	for (j = 1; j <= columns; j++) {
		line = line " " (row[j] in heading ? heading[row[j]] : \
		    row[j] ", " unit[row[j]]) " |"
		under = under "---|"
	}
	print line
	print under
	for (i = 1; i <= npeers; i++) {
		line = "| " title[peers[i]] " |"
		any = 0
		for (j = 1; j <= columns; j++) {
			line = line " " cell(row[j], peers[i]) " |"
			any = any || (row[j], peers[i]) in median
		}
		if (any)
			print line
	}
}
