# The results for the terminal: a table for each row.

BEGIN {
	FS = "\t"
	what["down"] = "one stream, down"
	what["up"] = "one stream, up"
	what["cpu-down"] = "CPU of the relay, one stream down"
	what["cpu-up"] = "CPU of the relay, one stream up"
	what["setup1"] = "a session: set up, one byte echoed, closed"
	what["setup4"] = "the same, four at a time"
	what["rtt"] = "one byte there and back"
	what["idle"] = "private memory of an idle session (200 held)"
	what["hundred"] = "100 streams down, together"
	what["size"] = "size, stripped"
	better["GB/s"] = "more is better"
}

/^#/ { print substr($0, 3); next }
$1 == "row" { next }
$1 != row {
	row = $1
	name = what[row]
	if (row ~ /^held-/)
		name = "a session while " substr(row, 6) " idle ones are held"
	printf "\n%s, %s (%s)\n", name, $2,
	    $2 in better ? better[$2] : "less is better"
	printf "  %-24s %8s  %-19s %10s\n", "", "median", "low - high",
	    "relay/peer"
}
{
	printf "  %-24s %8s  %-19s %10s%s\n", $4, $6,
	    $7 == "-" ? "" : $7 " - " $8, $9, $11 == "" ? "" : "  " $11
}
