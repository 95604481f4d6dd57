package script

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const sample = `# The network of the figure.
net degree=3 unit=10ms
S R1 2
S R2 3
----
2 nodes

# Nothing is expected of this.
run 2s
----

join R1 R2
----
R1 at level 1
R2 at level 1

tree
----
`

func TestParse(t *testing.T) {
	steps, err := Parse("sample", sample)
	if err != nil {
		t.Fatal(err)
	}
	want := []Step{
		{Line: 2, Comment: []string{"# The network of the figure."}, Fields: []string{"net", "degree=3", "unit=10ms"},
			Input: []string{"S R1 2", "S R2 3"}, Want: "2 nodes"},
		{Line: 9, Comment: []string{"", "# Nothing is expected of this."}, Fields: []string{"run", "2s"}, Input: []string{}},
		{Line: 12, Comment: []string{""}, Fields: []string{"join", "R1", "R2"}, Input: []string{},
			Want: "R1 at level 1\nR2 at level 1"},
		{Line: 17, Comment: []string{""}, Fields: []string{"tree"}, Input: []string{}},
	}
	if !reflect.DeepEqual(steps, want) {
		t.Errorf("parsed as\n%+v\nwant\n%+v", steps, want)
	}
	if got := Format(steps); got != sample {
		t.Errorf("written as\n%s\nwant\n%s", got, sample)
	}
}

// Comments may stand at the end.
func TestParseLastComment(t *testing.T) {
	steps, err := Parse("last", "join R1\n----\nok\n\n# The end.\n")
	if err != nil || len(steps) != 2 || steps[0].Want != "ok" {
		t.Fatalf("steps %+v, %v; want a step that says ok and another", steps, err)
	}
	if s := steps[1]; len(s.Fields) != 0 || len(s.Comment) != 2 {
		t.Errorf("last step %+v, want the comment at the end", s)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"# x\n----\n": "bad:2: ---- without a command",
		"  \n":        "bad:1: line of spaces",
		"run\n":       `bad:1: "run" has no output`,
		"a\n\n----\n": `bad:1: "a" has no output`,
	} {
		if _, err := Parse("bad", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	plain, options := Step{Fields: []string{"net", "a", "k=v", "b", "e="}}.Options()
	if !reflect.DeepEqual(plain, []string{"a", "b"}) || !reflect.DeepEqual(options, map[string]string{"k": "v", "e": ""}) {
		t.Errorf("plain %q, options %q", plain, options)
	}
}

// What is written is read as what it was.
func TestFormatIsInverse(t *testing.T) {
	word := rapid.StringMatching(`[a-z0-9=]{1,5}`)
	line := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "words"), " ")
	})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(t, "steps")
		var steps []Step
		for range n {
			s := Step{Fields: strings.Fields(line.Draw(t, "command")), Input: []string{}}
			s.Input = append(s.Input, rapid.SliceOfN(line, 0, 3).Draw(t, "input")...)
			s.Want = strings.Join(rapid.SliceOfN(line, 0, 3).Draw(t, "output"), "\n")
			if len(steps) > 0 {
				s.Comment = append(s.Comment, "")
			}
			for range rapid.IntRange(0, 2).Draw(t, "comments") {
				s.Comment = append(s.Comment, "# "+line.Draw(t, "comment"))
			}
			steps = append(steps, s)
		}
		text := Format(steps)
		again, err := Parse("again", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for i := range again {
			again[i].Line = 0
		}
		if !reflect.DeepEqual(again, steps) {
			t.Fatalf("read as\n%+v\nwant\n%+v\n%s", again, steps, text)
		}
	})
}

// FuzzParse reads anything; what it accepts it writes and reads again as the same.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("x\n----\n\n\n----")
	f.Add(" #\n----")
	f.Add(" ----\n----")
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := Parse("fuzz", text)
		if err != nil {
			return
		}
		once := Format(steps)
		again, err := Parse("again", once)
		if err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice := Format(again); twice != once {
			t.Errorf("written as\n%q\nand then as\n%q", once, twice)
		}
	})
}

func ExampleParse() {
	steps, err := Parse("sum.txt", "sum 1 2\n----\n3\n")
	fmt.Println(steps[0].Name(), steps[0].Args(), steps[0].Want, err)
	// Output: sum [1 2] 3 <nil>
}
