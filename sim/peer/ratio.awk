# Reads benchmark results and prints, for each number of processes, how many times as many events a second the engine
# carries out with one worker as ns-3 with its best scheduler, and with two workers as with one. Each figure is the best
# of its rounds: what else runs on a machine only ever takes time away.

/^BenchmarkEngine/ {
	for (i = 2; i < NF; i++) if ($(i + 1) == "events/s") rate = $i
	split($1, part, "/")
	sub("processes=", "", part[2])
	who = part[3] ~ /ns3/ ? "ns3" : part[3] ~ /heap/ ? "heap" : part[4] ~ /workers=2/ ? "two" : "one"
	sizes[part[2]]
	if (rate > best[part[2], who]) best[part[2], who] = rate
}

function line(n, what, a, b) {
	if (best[n, a] && best[n, b]) {
		printf "%8d processes: %-34s %6.2f times (%.2f against %.2f million events/s)\n",
			n, what, best[n, a] / best[n, b], best[n, a] / 1e6, best[n, b] / 1e6
	}
}

END {
	for (n in sizes) {
		line(n, "one worker against a heap", "one", "heap")
		line(n, "one worker against ns-3's best", "one", "ns3")
		line(n, "two workers against one", "two", "one")
	}
}
