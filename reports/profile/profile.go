package profile

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/google/pprof/profile"
)

// A Profile is the processor time of a process, or of several, by stack.
type Profile struct {
	Files    []string // that it was read from
	Problems []string // what could not be read
	Total    Cost

	names  []string // of functions, with the path of their package
	stacks []stack
}

// A Cost is what was measured of a part of a program.
type Cost struct {
	Samples int64 // times that the profiler looked, and found it there
	CPU     int64 // ns of processor time
}

func (c *Cost) add(d Cost) {
	c.Samples += d.Samples
	c.CPU += d.CPU
}

// A stack is a chain of calls, each a function's place in the names, the outermost first.
type stack struct {
	frames   []int
	stage    Stage
	labelled bool // a label named the stage
	cost     Cost
}

// newProfile returns what was decoded and merged, with its stages.
func newProfile(from *profile.Profile) *Profile {
	p := &Profile{}
	places, staged := make(map[string]int), make(map[*profile.Function]*rule)
	for _, s := range from.Sample {
		st := stack{cost: Cost{s.Value[0], s.Value[1]}}
		var decided *rule
		for _, l := range s.Location {
			if len(l.Line) == 0 {
				st.frames = append(st.frames, p.place(places, "unknown"))
			}
			for _, line := range l.Line { // what is inlined comes first
				st.frames = append(st.frames, p.place(places, line.Function.Name))
				if decided == nil {
					decided = remember(staged, line.Function)
				}
			}
		}
		slices.Reverse(st.frames)
		st.stage, st.labelled = stageOf(s, decided)
		p.Total.add(st.cost)
		p.stacks = append(p.stacks, st)
	}
	return p
}

// stageOf returns the stage of a sample, and whether a label has decided it.
func stageOf(s *profile.Sample, r *rule) (stage Stage, byLabel bool) {
	if values := s.Label[labelKey]; len(values) > 0 {
		if stage, ok := labelled[values[0]]; ok {
			return stage, true
		}
	}
	if r == nil {
		return Other, false
	}
	return r.stage, false
}

// remember returns the rule of a function, which is looked for once.
func remember(known map[*profile.Function]*rule, f *profile.Function) *rule {
	r, ok := known[f]
	if !ok {
		r = ruleOf(f.Name, f.Filename)
		known[f] = r
	}
	return r
}

// place returns the place of a function in the names.
func (p *Profile) place(places map[string]int, name string) int {
	i, ok := places[name]
	if !ok {
		i = len(p.names)
		places[name] = i
		p.names = append(p.names, clean(name))
	}
	return i
}

// maxName bounds a function's name, in bytes.
const maxName = 300

// clean returns a name that can be printed, since a profile is a file of anybody's. What a generic function is made
// for, which may be longer than everything else, becomes […].
func clean(name string) string {
	if from, to := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']'); from > 0 && to > from {
		name = name[:from] + "[…]" + name[to+1:]
	}
	if len(name) > maxName {
		name = name[:maxName] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(name, "?"))
}

// Share returns the part of the time that a cost is, from 0 to 1.
func (p *Profile) Share(c Cost) float64 {
	if p.Total.CPU == 0 {
		return 0
	}
	return float64(c.CPU) / float64(p.Total.CPU)
}

// Stages returns what each stage costs, by stage.
func (p *Profile) Stages() (costs [NumStages]Cost) {
	for i := range p.stacks {
		costs[p.stacks[i].stage].add(p.stacks[i].cost)
	}
	return costs
}

// Labelled returns what was attributed by labels, not by functions.
func (p *Profile) Labelled() (c Cost) {
	for i := range p.stacks {
		if p.stacks[i].labelled {
			c.add(p.stacks[i].cost)
		}
	}
	return c
}

// A Function is one function's part of a profile.
type Function struct {
	Name string
	Flat Cost // in the function itself
	Cum  Cost // there and in what it calls
}

// Functions returns the functions by what they cost themselves, the most expensive first.
func (p *Profile) Functions() []Function {
	all := make([]Function, len(p.names))
	seen := make([]int, len(p.names)) // in which stack last, from 1, so that recursion counts once
	for i := range p.names {
		all[i].Name = p.names[i]
	}
	for i := range p.stacks {
		s := &p.stacks[i]
		for k, f := range s.frames {
			if seen[f] != i+1 {
				seen[f] = i + 1
				all[f].Cum.add(s.cost)
			}
			if k == len(s.frames)-1 {
				all[f].Flat.add(s.cost)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Function) int {
		return cmp.Or(cmp.Compare(b.Flat.CPU, a.Flat.CPU), cmp.Compare(b.Cum.CPU, a.Cum.CPU), strings.Compare(a.Name, b.Name))
	})
	return all
}

// A Change is how the share of a part of a program differs between two profiles, each taken for a whole.
type Change struct {
	Old, New float64 // shares, from 0 to 1
	// Noise is how far two shares of so many samples may differ by chance: three standard deviations of the difference,
	// and half a sample of each since samples are whole, if they are independent of each other. They are not quite, and
	// runs differ, too: it is the least.
	Noise float64
}

// Difference returns how much larger the new share is.
func (c Change) Difference() float64 { return c.New - c.Old }

// Real reports whether the difference is larger than that of chance.
func (c Change) Real() bool { return math.Abs(c.Difference()) > c.Noise }

// NewChange compares a part of two profiles.
func NewChange(old, new *Profile, was, is Cost) Change {
	c := Change{Old: old.Share(was), New: new.Share(is)}
	n, m := float64(old.Total.Samples), float64(new.Total.Samples)
	if n > 0 && m > 0 {
		p := float64(was.Samples+is.Samples) / (n + m)
		c.Noise = 3*math.Sqrt(p*(1-p)*(1/n+1/m)) + (1/n+1/m)/2
	}
	return c
}

// ShortName returns a function's name with the last part of its package's path alone.
func ShortName(name string) string {
	pkg, _ := split(name)
	return name[strings.LastIndexByte(pkg, '/')+1:]
}
