package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"time"
)

//go:embed report.css
var pageCSS string

//go:embed report.tmpl.html
var pageSource string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"class": func(s State) string { return [...]string{"none", "none", "pass", "miss"}[s] },
	"mark":  func(s State) string { return [...]string{"–", "–", "✓", "✗"}[s] },
}).Parse(pageSource))

// page is what the template shows.
type page struct {
	Title, Subtitle, Policy, Footer, Reproduce string

	CSS        template.CSS
	Contents   []cardRow // name = id, value = title
	Invalid    []string  // why the run is
	Glance     []Answer
	Headlines  []Verdict
	Card       []cardRow
	Parity     []Finding
	Stages     []pageStage
	Lacks      []string // titles of the stages that were not part of the run
	Parameters Table
	Warnings   []string
	Skipped    int
}

type pageStage struct {
	ID, Title, Line string
	Sections        []pageSection
}

// pageSection is a section with its charts drawn.
type pageSection struct {
	Section
	Figures []pageFigure
}

type pageFigure struct {
	Figure
	SVG  template.HTML
	Fail string // why there is no drawing; the numbers are shown all the same
}

// policy forbids the page everything but its own style sheet: no script, no
// network, no inline style.
func policy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

// HTML writes the report as one self-contained page. It loads nothing, runs no
// script, and its charts are part of it.
func HTML(r *Result) ([]byte, error) {
	m := &r.Manifest
	paper, _ := r.findings()
	p := page{
		Title:    "i3bench: result of " + filepath.Base(filepath.Clean(r.Dir)),
		Subtitle: fmt.Sprintf("%s, %s, %s", m.Status, m.Started.UTC().Format(time.DateOnly), m.Machine),
		Policy:   policy(), CSS: template.CSS(pageCSS),
		Invalid: r.Invalid(), Glance: r.glance(), Headlines: r.headlines(), Card: r.card(), Parity: measuredOnly(paper),
		Parameters: r.paramRows(), Warnings: r.Warnings, Skipped: r.Skipped,
		Reproduce: r.reproduce(),
		Footer:    r.writtenFrom(),
	}
	for _, stage := range stages {
		if r.lacks(stage.name) {
			p.Lacks = append(p.Lacks, shortTitle(stage.title))
			continue
		}
		p.Stages = append(p.Stages, r.pageStage(stage.name, stage.title))
	}
	p.Contents = p.contents()
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("reports: write page of %s: %w", r.Dir, err)
	}
	return b.Bytes(), nil
}

// writtenFrom names the files that the page is made of.
func (r *Result) writtenFrom() string {
	if r.Manifest.Status == Unknown {
		return fmt.Sprintf("Written from %s alone (%s samples).", r.from, count(r.Count))
	}
	return fmt.Sprintf("Written from %s and %s (schema %d, %s samples).", ManifestFile, r.from, r.Manifest.Schema,
		count(r.Count))
}

func (p *page) contents() []cardRow {
	var out []cardRow
	if len(p.Glance) > 0 {
		out = append(out, cardRow{"glance", "At a glance"})
	}
	out = append(out, cardRow{"verdict", "Verdict"}, cardRow{"run", "The run"})
	if len(p.Parity) > 0 {
		out = append(out, cardRow{"parity", "Paper parity"})
	}
	for _, s := range p.Stages {
		out = append(out, cardRow{s.ID, shortTitle(s.Title)})
	}
	return append(out, cardRow{"warnings", "Warnings"}, cardRow{"reproduce", "How to reproduce"})
}

// shortTitle returns what a title says before its colon.
func shortTitle(title string) string {
	short, _, _ := strings.Cut(title, ":")
	return short
}

// pageStage draws the sections of a stage.
func (r *Result) pageStage(name, title string) pageStage {
	out := pageStage{ID: "stage-" + name, Title: title}
	if name == "" {
		out.ID = "stage-run"
	} else {
		out.Line = r.stageLine(name)
	}
	list, _ := r.sectionsOf(name)
	for _, s := range list {
		out.Sections = append(out.Sections, drawn(s))
	}
	return out
}

// drawn is a section with its charts drawn.
func drawn(s Section) pageSection {
	p := pageSection{Section: s}
	for _, f := range s.Figures {
		fig := pageFigure{Figure: f}
		if svg, err := f.Chart.SVG(f.ID); err != nil {
			fig.Fail = err.Error()
		} else {
			fig.SVG = template.HTML(svg)
		}
		p.Figures = append(p.Figures, fig)
	}
	return p
}

// reproduce lists the commands that run the same again.
func (r *Result) reproduce() string {
	var lines []string
	if m := &r.Manifest; m.Commit != "" && m.Commit != "unknown" {
		lines = append(lines, "git checkout "+m.Commit)
		if m.Dirty {
			lines[0] += "   # the run had changes that are not in this commit"
		}
	}
	return strings.Join(append(lines, quote(r.Manifest.Command)), "\n")
}
