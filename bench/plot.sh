#!/bin/sh
# Draw results.tsv: sh plot.sh results.tsv results.svg
# All three panels have the same peers.  Peers that fail a client are marked.

[ $# -eq 2 ] || { echo 'usage: sh plot.sh results.tsv results.svg' >&2; exit 2; }
scratch=$(mktemp -d "${TMPDIR:-/tmp}/stfl-plot.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Write a line for each bar: place, value, colour, label, title.  A peer has the
# same place in every panel.  If a peer has no value, its bar is empty.
panel() {
	awk -F '\t' -v row="$1" '
	/^#/ || $1 == "row" { next }
	!($3 in place) {
		place[$3] = --last
		mark = $11 ~ /loses/ ? " *" : $11 ~ /FIN/ ? " +" : ""
		title[$3] = $4 mark
		colour[$3] = $3 == "relay" || $3 == "static" ? 1 : \
		    $5 == "exec" && $3 != "floor" ? 2 : \
		    $5 == "daemon" ? 3 : 4
	}
	$1 == row && $6 != "-" { value[$3] = $6 }
	END {
		for (p in place) {
			v = p in value ? value[p] : 0
			text = p in value ? (v < 10 ? sprintf("%.2f", v) : \
			    sprintf("%.0f", v)) : ""
			printf "%d\t%s\t%d\t%s\t%s\n", place[p], v, colour[p],
			    text, title[p]
		}
	}' "$2" | sort -n >"$scratch/$1"
}
for row in setup1 idle down; do
	panel $row "$1"
	awk '$2 > 0 { any = 1 } END { exit !any }' "$scratch/$row" || {
		echo "not drawn: nothing was measured of $row"
		exit 1
	}
done
peers=$(wc -l <"$scratch/down")
names=$(awk -F '\t' '{ printf "%s\"%s\" %d", (NR > 1 ? ", " : ""), $5, $1 }' \
    "$scratch/down")

gnuplot <<END
set terminal svg size 1060,$((peers * 24 + 130)) font 'Helvetica,13' \
    background '#ffffff' noenhanced
set output '$2'
set datafile separator '\t'
set encoding utf8
set style fill solid 1 noborder
set border 1 linecolor rgb '#999999'
unset key
set xtics nomirror textcolor rgb '#666666'
set grid xtics linecolor rgb '#e4e4e4' linetype 1
colour(n) = n == 1 ? 0x1f5fa8 : n == 2 ? 0xd08a3c : n == 3 ? 0x8fa88f : 0xbdbdbd
bars(f) = sprintf("plot '$scratch/%s' using (0):1:(0):2:(\$1-0.36):(\$1+0.36)" . \
    ":(colour(\$3)) with boxxyerror linecolor rgb variable, " . \
    "'' using 2:1:4 with labels left offset 0.5,0 textcolor rgb '#333333'", f)
unit(m) = 10 ** floor(log10(m))
step(m) = unit(m / 4) * (m / 4 / unit(m / 4) > 5 ? 10 : \
    m / 4 / unit(m / 4) > 2 ? 5 : m / 4 / unit(m / 4) > 1 ? 2 : 1)
do for [row in 'setup1 idle down'] {
	stats '$scratch/'.row using 2 name row nooutput
}
set tmargin at screen 0.90
set bmargin at screen 0.20
set yrange [-$peers - 0.6 : -0.4]
set multiplot

set lmargin at screen 0.175
set rmargin at screen 0.41
set title 'a session, set up and closed: ms' offset 0,-0.6
set xrange [0 : setup1_max * 1.2]
set xtics step(setup1_max)
set ytics scale 0 textcolor rgb '#222222' ($names)
eval bars('setup1')

unset ytics
set lmargin at screen 0.455
set rmargin at screen 0.69
set title 'private memory of an idle session: KiB' offset 0,-0.6
set xrange [0 : idle_max * 1.2]
set xtics step(idle_max)
eval bars('idle')

set lmargin at screen 0.735
set rmargin at screen 0.97
set title 'one stream down: GB/s' offset 0,-0.6
set xrange [0 : down_max * 1.2]
set xtics step(down_max)
set label '■ stfl-relay' at screen 0.175,0.09 textcolor rgb '#1f5fa8'
set label '■ other programs, started for each session' at screen 0.28,0.09 \
    textcolor rgb '#d08a3c'
set label '■ daemons' at screen 0.58,0.09 textcolor rgb '#8fa88f'
set label '■ for comparison' at screen 0.67,0.09 textcolor rgb '#999999'
set label '*  loses the reply to a client that has sent FIN       ' . \
    '+  does not pass on the FIN of the target' at screen 0.175,0.035 \
    textcolor rgb '#666666'
eval bars('down')
unset multiplot
END
