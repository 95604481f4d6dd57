package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"i3bench/loadgen"
)

// shown is how many operations of each stream are written out.
const shown = 10

// maxCounted bounds the operations that are gone through to be counted.
const maxCounted = 20_000_000

// Describe returns the scenario as it would be carried out from a seed: every value,
// how many operations of each kind there are, and the first of each stream.
func (s *Scenario) Describe(seed uint64) (string, error) {
	spans, err := s.Resolve(seed)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if s.Seed != 0 {
		seed = s.Seed
	}
	for _, line := range s.Values() {
		if line[0] == "seed" {
			line[1] = fmt.Sprint(seed)
		}
		fmt.Fprintf(&b, "%-34s %s\n", line[0], line[1])
	}
	for _, span := range spans {
		fmt.Fprintf(&b, "\nphase %s: from %v for %v\n", span.Name, span.Begin, span.For)
		if len(span.Streams) == 0 {
			b.WriteString("  nothing is offered\n")
		}
		for i, stream := range span.Streams {
			if err := stream.describe(&b, i, s.Cluster.Visitors); err != nil {
				return "", err
			}
		}
	}
	return b.String(), nil
}

// describe writes what a stream offers.
func (p *Planned) describe(b *strings.Builder, number, visitors int) error {
	plan, err := p.Open()
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "  load.%d, %s:\n", number, p.Title)
	kinds := make(map[string]int)
	total, inside, most := 0, 0, 0
	for i := uint64(0); total < maxCounted; i++ {
		op, ok := plan.At(i)
		if !ok {
			break
		}
		a := plan.Action(op.Index)
		if total++; total <= shown {
			fmt.Fprintf(b, "    %5d %14v  %-8s member %d\n", op.Index, op.At.Round(time.Microsecond), a.Kind, a.Member)
		}
		kinds[a.Kind]++
		inside += change(a)
		most = max(most, inside)
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(b, "    %d of %s\n", kinds[kind], kind)
	}
	switch {
	case total == 0:
		b.WriteString("    no operations\n")
	case total == maxCounted:
		fmt.Fprintf(b, "    and more: only the first %d were counted\n", maxCounted)
	}
	if most > 0 {
		fmt.Fprintf(b, "    at most %d visitors at a time", most)
		if most > visitors {
			fmt.Fprintf(b, "; cluster.visitors is %d: the others wait", visitors)
		}
		b.WriteString("\n")
	}
	return nil
}

// change returns by how many the visitors in the group change.
func change(a loadgen.Action) int {
	switch {
	case a.Lasting && a.Kind == Join:
		return 1
	case a.Lasting && (a.Kind == Leave || a.Kind == Crash):
		return -1
	}
	return 0
}

// Values returns the path and the value of every key: of streams, those that their
// schedule has.
func (s *Scenario) Values() [][2]string { return values(reflect.ValueOf(*s), "") }

// values returns the paths and values of the keys of a struct, see [Scenario.Values].
func values(v reflect.Value, path string) (lines [][2]string) {
	var only []string
	if s, ok := v.Interface().(Stream); ok {
		k := schedules[slices.IndexFunc(schedules, func(k schedule) bool { return k.name == s.Schedule })]
		only = append(append([]string{"schedule"}, k.need...), k.may...)
	}
	for _, f := range fieldsOf(v.Type()) {
		if only != nil && !slices.Contains(only, f.key) {
			continue
		}
		at, value := join(path, f.key), v.Field(f.index)
		switch value.Kind() {
		case reflect.Struct:
			lines = append(lines, values(value, at)...)
		case reflect.Slice:
			for i := range value.Len() {
				lines = append(lines, values(value.Index(i), fmt.Sprintf("%s.%d", at, i))...)
			}
		case reflect.Map:
			for _, kind := range slices.Sorted(maps.Keys(value.Interface().(map[string]float64))) {
				lines = append(lines, [2]string{join(at, kind), fmt.Sprint(value.MapIndex(reflect.ValueOf(kind)))})
			}
		default:
			if text := fmt.Sprint(value.Interface()); text != "" && (text != "0s" || f.need) {
				lines = append(lines, [2]string{at, text})
			}
		}
	}
	return lines
}
