package script

import (
	"fmt"
	"slices"
	"strings"
)

// dashes separate a command from its output.
const dashes = "----"

// A Step is one command and the output that it must produce.
type Step struct {
	// Line is the number of the command's line, from 1.
	Line int
	// Comment is the lines above the command, comments and empty ones, as they are.
	Comment []string
	// Fields are the words of the command's line, at least one.
	Fields []string
	// Input is the lines between the command and the dashes.
	Input []string
	// Want is the output, without an end of line.
	Want string
}

// Name returns the command's name.
func (s Step) Name() string { return s.Fields[0] }

// Args returns the words after the command's name.
func (s Step) Args() []string { return s.Fields[1:] }

// Options splits the arguments of the form key=value from the others.
func (s Step) Options() (plain []string, options map[string]string) {
	options = make(map[string]string)
	for _, a := range s.Args() {
		if key, value, ok := strings.Cut(a, "="); ok {
			options[key] = value
		} else {
			plain = append(plain, a)
		}
	}
	return plain, options
}

// Parse reads a script. An error says where in the named file it is and what was
// expected. The comments at the end belong to a last step without fields.
func Parse(name, text string) ([]Step, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var steps []Step
	var comment []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case line == "" || strings.HasPrefix(strings.TrimSpace(line), "#"):
			comment = append(comment, line)
			continue
		case strings.TrimSpace(line) == dashes:
			return nil, fmt.Errorf("script: parse %s:%d: %s without a command: want one above", name, i+1, dashes)
		case strings.TrimSpace(line) == "":
			return nil, fmt.Errorf("script: parse %s:%d: line of spaces: want a command or nothing", name, i+1)
		}
		s := Step{Line: i + 1, Comment: comment, Fields: strings.Fields(line)}
		comment = nil
		end := slices.Index(lines[i+1:], dashes)
		if end < 0 || slices.Contains(lines[i+1:i+1+end], "") {
			return nil, fmt.Errorf("script: parse %s:%d: %.40q has no output: want %s below it", name, i+1, line, dashes)
		}
		s.Input = lines[i+1 : i+1+end]
		i += end + 1
		from := i + 1
		for i+1 < len(lines) && lines[i+1] != "" {
			i++
		}
		s.Want = strings.Join(lines[from:i+1], "\n")
		steps = append(steps, s)
	}
	if len(comment) > 0 && !(len(comment) == 1 && comment[0] == "") {
		steps = append(steps, Step{Line: len(lines), Comment: comment})
	}
	return steps, nil
}

// Format writes steps as a script that Parse reads as the same steps. Empty lines
// of an output are left out, since one would end it.
func Format(steps []Step) string {
	var b strings.Builder
	for i, s := range steps {
		for _, c := range s.Comment {
			fmt.Fprintln(&b, c)
		}
		if len(s.Fields) == 0 {
			continue
		}
		fmt.Fprintln(&b, strings.Join(s.Fields, " "))
		for _, in := range s.Input {
			fmt.Fprintln(&b, in)
		}
		fmt.Fprintln(&b, dashes)
		for _, out := range strings.Split(s.Want, "\n") {
			if out != "" {
				fmt.Fprintln(&b, out)
			}
		}
		// The empty line that ends an output is the first comment of the next step.
		if i+1 < len(steps) && (len(steps[i+1].Comment) == 0 || steps[i+1].Comment[0] != "") {
			fmt.Fprintln(&b)
		}
	}
	return b.String()
}
