package profile

import (
	"path"
	"strings"
)

// A rule says to which stage functions belong: those of a package, of a file of it, or of a list.
type rule struct {
	stage Stage
	pkg   string // import path, without the module's name if it is ours; with /... for those below it, too
	// files are names of source files, and funcs names as they stand behind the package's: "(*Node).forward" for
	// the method and what is in it. Without any the rule is for the whole package.
	files, funcs string // separated by blanks
	why          string
}

// rules is the table. Of a stack the innermost function that has a rule decides; of its rules the first. A function
// without a rule, such as one of the identifiers in package i3 or of Go's memory, belongs to who has called it. So
// has the package matcher rules for the look-ups alone: an insertion is a part of the request that wants it.
var rules = []rule{
	{
		stage: Receive, pkg: "cluster", why: "the loops of drivers: what labels do not say better",
		funcs: "(*shard).run (*socket).run",
	},
	{
		stage: Receive, pkg: "replicate/udp", why: "the port's reading half",
		funcs: "(*socket).Recv (*socket).Wait (*portable).Recv (*portable).Wait",
	},
	{
		stage: Replicate, pkg: "cluster", why: "planning what an outbox holds",
		funcs: "(*Endpoint).flush transmit",
	},
	{stage: Replicate, pkg: "replicate", why: "the planner, and buffers of copies"},
	{
		stage: Send, pkg: "cluster", why: "from the planner to the kernel",
		funcs: "(*sender).Send (*socket).Send",
	},
	{
		stage: Send, pkg: "replicate/udp", why: "the port's sending half",
		funcs: "(*twin).Send (*twin).SendFrom (*socket).Send (*socket).SendFrom (*portable).Send " +
			"(*portable).SendFrom",
	},

	{
		stage: Match, pkg: "matcher", why: "look-ups",
		funcs: "(*Table).Match (*Table).MatchBatch",
	},
	{stage: Match, pkg: "matcher/lookups", why: "look-ups that are measured by themselves"},

	{
		stage: Receive, pkg: "i3/node", why: "the walk through the packets of a batch",
		funcs: "(*Node).Receive (*Node).datagram (*Node).packet",
	},
	{
		stage: Replicate, pkg: "i3/node", why: "copies for each target that was matched",
		files: "forward.go",
	},
	{
		stage: Ring, pkg: "i3/node", why: "triggers that change nodes",
		files: "fetch.go handover.go journal.go keep.go leave.go lend.go mirror.go",
	},
	{
		stage: Ring, pkg: "i3/node", why: "what the ring wants of the node",
		funcs: "(*Node).followRing",
	},
	{stage: Triggers, pkg: "i3/node", why: "requests, limits, expiry"},
	{stage: Ring, pkg: "i3/chord", why: "the ring"},

	{
		stage: Receive, pkg: "i3/host", why: "the walk through the packets of a batch",
		funcs: "(*Host).Receive (*Host).packet",
	},
	{
		stage: Triggers, pkg: "i3/host", why: "answers of nodes, whatever the request was for",
		files: "answer.go",
	},
	{
		stage: Refresh, pkg: "i3/host", why: "triggers that are due, again or still",
		funcs: "(*Host).Expire (*Host).due",
	},

	{
		stage: Join, pkg: "i3/multicast", why: "the search for a place",
		files: "join.go draw.go search.go trial.go train.go ask.go door.go knock.go name.go metric.go policy.go",
	},
	{
		stage: Join, pkg: "i3/multicast", why: "answers to distance queries",
		funcs: "(*Receiver).query (*Source).query",
	},
	{
		stage: Join, pkg: "i3/multicast", why: "changes of places and of roles",
		files: "leave.go adopt.go former.go revive.go move.go rekey.go agent.go relay.go standby.go succession.go",
	},
	{
		stage: Refresh, pkg: "i3/multicast", why: "refreshes, their announcements, and what follows from silence",
		files: "refresh.go",
	},
	{
		stage: Refresh, pkg: "i3/multicast", why: "what keeps the root alive",
		funcs: "(*Source).maintain (*Source).watch (*Source).heartbeat",
	},
	{
		stage: Data, pkg: "i3/multicast", why: "numbers of packets, and who gets them",
		funcs: "(*Receiver).data (*Receiver).inStream (*Receiver).take (*Receiver).deliver (*Receiver).down " +
			"(*Source).Send",
	},
	{
		stage: Repair, pkg: "i3/multicast", why: "requests, answers, and what is missing",
		files: "repair.go respond.go aside.go",
	},
	{
		stage: Repair, pkg: "i3/multicast", why: "repairs by the source",
		funcs: "(*Source).request (*Source).gone",
	},
	{
		stage: Receive, pkg: "i3/multicast", why: "the walk through the packets of a batch",
		funcs: "(*Receiver).Receive (*Receiver).Deliver (*Receiver).handle (*Source).Receive (*Source).Deliver",
	},
	{
		stage: Other, pkg: "i3/multicast", why: "timers of every stage: those who carry them out have rules",
		funcs: "(*Receiver).Expire (*Source).Expire",
	},
	{stage: Data, pkg: "gateway", why: "applications' streams"},

	{stage: Simulator, pkg: "sim/...", why: "virtual time and its networks"},
	{stage: Bench, pkg: "experiments", why: "operations, and what becomes of them"},
	{stage: Bench, pkg: "loadgen/...", why: "the pacer, and what is beside it"},
	{stage: Bench, pkg: "testbed", why: "the network of delays and losses, deployment"},
	{stage: Bench, pkg: "verify", why: "judges"},
	{stage: Bench, pkg: "reports/...", why: "samples"},
	{stage: Bench, pkg: "cmd/bench", why: "progress"},
	{stage: Bench, pkg: "main", why: "the same, as Go calls it"},
	{
		stage: Bench, pkg: "runtime/pprof", why: "the profile itself",
		funcs: "profileWriter",
	},

	{
		stage: Collector, pkg: "runtime", why: "roots of its work, and the share of who allocates",
		funcs: "gcBgMarkWorker gcAssistAlloc bgsweep bgscavenge gcStart forcegchelper",
	},
	{
		stage: Scheduler, pkg: "runtime", why: "roots of stacks without a goroutine",
		funcs: "mcall mstart mstart0 mstart1 goexit0 sysmon",
	},
}

// module begins the import paths of our packages.
const module = "i3bench/"

// ruleOf returns the rule for a function by its full name and source file, or nil.
func ruleOf(name, file string) *rule {
	pkg, fn := split(name)
	pkg = strings.TrimPrefix(pkg, module)
	file = path.Base(strings.ReplaceAll(file, `\`, "/"))
	for i := range rules {
		if r := &rules[i]; r.covers(pkg) && r.has(fn, file) {
			return r
		}
	}
	return nil
}

// covers reports whether a rule speaks of a package.
func (r *rule) covers(pkg string) bool {
	top, below := strings.CutSuffix(r.pkg, "/...")
	return pkg == top || below && strings.HasPrefix(pkg, top+"/")
}

// has reports whether a rule is for a function of its package.
func (r *rule) has(fn, file string) bool {
	for f := range strings.FieldsSeq(r.funcs) {
		if rest, ok := strings.CutPrefix(fn, f); ok && (rest == "" || rest[0] == '.' || rest[0] == '-' || rest[0] == '[') {
			return true
		}
	}
	for f := range strings.FieldsSeq(r.files) {
		if f == file {
			return true
		}
	}
	return r.funcs == "" && r.files == ""
}

// split cuts a function's full name into its package and what stands behind that.
func split(name string) (pkg, fn string) {
	plain, _, _ := strings.Cut(name, "[") // what a generic function is made for may have slashes and dots
	slash := strings.LastIndexByte(plain, '/') + 1
	dot := strings.IndexByte(plain[slash:], '.')
	if dot < 0 {
		return "", name
	}
	return name[:slash+dot], name[slash+dot+1:]
}
