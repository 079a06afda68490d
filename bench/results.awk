# Turns the measurements (turn, row, peer, value, note) into one line for each
# row and peer: median, lowest and highest value, and median of the ratios.  The
# ratio in a turn is the value of stfl-relay (static) divided by the peer's.

function median(list, n,   i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
			t = list[j]
			list[j] = list[j - 1]
			list[j - 1] = t
		}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function add_row(row, unit) {
	rows[++nrows] = row
	units[row] = unit
}

function put(row, peer,   n, m, r, low, high, ratio, note, values, ratios) {
	n = m = 0
	for (r = 1; r <= last; r++) {
		if (!((r, row, peer) in value))
			continue
		values[++n] = value[r, row, peer]
		if ((r, row, "static") in value && values[n] > 0)
			ratios[++m] = value[r, row, "static"] / values[n]
	}
	note = faults[peer]
	if (failed[row, peer] > 0) {
		note = note (note == "" ? "" : ", ") reason[row, peer]
		if (n > 0)
			note = note " (" failed[row, peer] " of " \
			    n + failed[row, peer] ")"
	}
	if (n == 0 && note == "")
		return
	printf "%s\t%s\t%s\t%s\t%s", row, units[row], peer, title[peer],
	    kind[peer]
	if (n == 0) {
		printf "\t-\t-\t-\t-\t0\t%s\n", note
		return
	}
	ratio = m > 0 ? sprintf("%.3g", median(ratios, m)) : "-"
	printf "\t%.4g", median(values, n)
	low = values[1]
	high = values[n]
	printf "\t%.4g\t%.4g\t%s\t%d\t%s\n", low, high, ratio, n, note
}

# Returns the unit of a row.  The number in the row's name does not matter.
function unit(row) {
	gsub(/[0-9]+/, "", row)
	return row ~ /-cpu$/ ? "s/GB" : row ~ /-fair$/ ? "x mean" : \
	    row ~ /^(down|up)/ ? "GB/s" : row ~ /^(setup|held)/ ? "ms" : \
	    row ~ /^(idle|size)/ ? "KiB" : row == "ask" ? "replies/s" : "us"
}

BEGIN { FS = "\t" }

FILENAME == ARGV[1] {
	peers[++npeers] = $1
	title[$1] = $2
	kind[$1] = $3
	next
}
$2 == "missing" {
	missing[$3] = 1
	faults[$3] = $5
	next
}
$2 == "faults" {
	if ($5 != "none")
		faults[$3] = $5
	next
}
{
	if (!($2 in units))
		add_row($2, unit($2))
	measured[$2] = 1
	if ($1 > last)
		last = $1
	if ($4 == "-") {
		failed[$2, $3]++
		reason[$2, $3] = $5
	} else
		value[$1, $2, $3] = $4
}

END {
	print "row\tunit\tpeer\ttitle\tkind\tmedian\tlow\thigh\trelay/peer" \
	    "\trounds\tnote"
	for (i = 1; i <= nrows; i++)
		for (j = 1; j <= npeers; j++)
			if (measured[rows[i]] &&
			    (rows[i] != "size" || !missing[peers[j]]) &&
			    ((rows[i], peers[j]) in failed ||
			    missing[peers[j]] || any(rows[i], peers[j])))
				put(rows[i], peers[j])
}

function any(row, peer,   r) {
	for (r = 1; r <= last; r++)
		if ((r, row, peer) in value)
			return 1
	return 0
}
