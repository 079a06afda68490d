# Print the results for a terminal, with a table for each row.

# Returns what a row measures.  Its name is downN-cpu, askN-99.9 or the like.
function what(row,   n, name, part) {
	part = index(row, "-") ? substr(row, index(row, "-") + 1) : ""
	name = part == "" ? row : substr(row, 1, index(row, "-") - 1)
	n = name
	gsub(/[^0-9]/, "", n)
	gsub(/[0-9]/, "", name)
	if (name == "down" || name == "up")
		name = (n == "" ? "one stream " : n " streams at once, ") name
	else if (name == "ask")
		name = "100 bytes ask for 1,000, clients at once: " n
	else if (name == "setup")
		name = "a session: set up, one byte echoed, closed" \
		    (n == 1 ? "" : "; " n " at a time")
	else if (name == "held")
		name = "a session while " n " idle ones are held"
	else if (name == "rtt")
		name = "one byte there and back"
	else if (name == "idle")
		name = "idle session (200 held), " \
		    (part == "all" ? "all memory" : "private memory")
	return name (part == "all" ? "" : part == "cpu" ? \
	    ", CPU of the relay" : part == "fair" ? \
	    ", the slowest by the mean" : part == "best" ? \
	    ", fastest sixteenth" : part != "" ? ", latency of " part " %" : "")
}

BEGIN {
	FS = "\t"
	better["GB/s"] = better["replies/s"] = better["x mean"] = \
	    "more is better"
}

/^#/ { print substr($0, 3); next }
$1 == "row" { next }
$1 != row {
	row = $1
	printf "\n%s, %s (%s)\n", what(row), $2,
	    $2 in better ? better[$2] : "less is better"
	printf "  %-24s %8s  %-19s %10s\n", "", "median", "low - high",
	    "relay/peer"
}
{
	printf "  %-24s %8s  %-19s %10s%s\n", $4, $6,
	    $7 == "-" ? "" : $7 " - " $8, $9, $11 == "" ? "" : "  " $11
}
